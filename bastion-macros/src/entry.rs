//! `main` and `test`: an async function becomes a function that runs it.
//!
//! What is emitted is a call of a public function of `bastion` that a user could type.

use crate::facade;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, FnArg, Ident, ItemFn, LitInt, Result, Token, parse2};

pub(crate) fn main(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "#[bastion::main] takes no arguments"));
    }
    let function = asynchronous(item, "#[bastion::main]")?;
    if function.sig.ident != "main" {
        return Err(Error::new_spanned(&function.sig.ident, "#[bastion::main] is for `main` only"));
    }
    if let Some(argument) = function.sig.inputs.first() {
        return Err(Error::new_spanned(argument, "`main` takes no arguments"));
    }
    let (attrs, vis, name) = (&function.attrs, &function.vis, &function.sig.ident);
    let (output, block) = (&function.sig.output, &function.block);
    let bastion = facade::bastion();
    Ok(quote! {
        #(#attrs)*
        #vis fn #name() #output {
            #bastion::Bastion::run(async move #block)
        }
    })
}

pub(crate) fn test(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let settings: TestSettings = parse2(arguments)?;
    let function = asynchronous(item, "#[bastion::test]")?;
    let bastion = facade::bastion();
    let system = match function.sig.inputs.len() {
        0 => quote!(_: #bastion::System),
        1 => match &function.sig.inputs[0] {
            FnArg::Typed(argument) => quote!(#argument),
            FnArg::Receiver(this) => {
                return Err(Error::new_spanned(this, "a test is not a method"));
            }
        },
        _ => {
            let text = "a test takes at most one argument, its `System`";
            return Err(Error::new_spanned(&function.sig.inputs[1], text));
        }
    };
    let (attrs, vis, name) = (&function.attrs, &function.vis, &function.sig.ident);
    let (output, block) = (&function.sig.output, &function.block);
    let run = match settings.seed {
        None => quote!(#bastion::testing::run),
        Some(_) => quote!(#bastion::testing::run_virtual),
    };
    let seed = settings.seed.map(|seed| quote!(#seed,));
    Ok(quote! {
        #[test]
        #(#attrs)*
        #vis fn #name() #output {
            #run(#seed |#system| async move #block)
        }
    })
}

/// Parses an `async fn` without generics.
pub(crate) fn asynchronous(item: TokenStream, attribute: &str) -> Result<ItemFn> {
    let function: ItemFn = parse2(item)?;
    if function.sig.asyncness.is_none() {
        let text = format!("{attribute} is for an `async fn`");
        return Err(Error::new_spanned(function.sig.fn_token, text));
    }
    if !function.sig.generics.params.is_empty() {
        let text = format!("{attribute} is for a function without generics");
        return Err(Error::new_spanned(&function.sig.generics, text));
    }
    Ok(function)
}

/// The arguments of `test`. With virtual time there is a seed.
struct TestSettings {
    seed: Option<u64>,
}

impl Parse for TestSettings {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut virtual_time, mut seed) = (false, None);
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name == "virtual_time" {
                virtual_time = true;
            } else if name == "seed" {
                input.parse::<Token![=]>()?;
                seed = Some((input.parse::<LitInt>()?.base10_parse()?, name.span()));
            } else {
                return Err(Error::new(name.span(), "expected `virtual_time` or `seed = N`"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        match (virtual_time, seed) {
            (false, Some((_, span))) => Err(Error::new(span, "a seed needs `virtual_time`")),
            (true, seed) => {
                Ok(TestSettings { seed: Some(seed.map_or(0, |(seed, _): (u64, Span)| seed)) })
            }
            (false, None) => Ok(TestSettings { seed: None }),
        }
    }
}
