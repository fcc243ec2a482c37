//! `root`: the attribute of the crate `fort`. An async `main` becomes the children of a group, and the program is that group.
//!
//! What is emitted is the four calls that a user of the classic API would type.

use crate::entry::asynchronous;
use crate::facade;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Ident, ItemFn, LitInt, Result, ReturnType, Token, parse2};

pub(crate) fn root(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Settings { redundancy } = parse2(arguments)?;
    let mut function = checked(item)?;
    let (attrs, vis) = (std::mem::take(&mut function.attrs), function.vis);
    function.vis = syn::Visibility::Inherited;
    let (name, bastion) = (&function.sig.ident, facade::bastion());
    // An argument or a result of a wrong type is an error of this call.
    let exec = quote_spanned!(function.sig.inputs.span()=> with_exec(#name));
    Ok(quote! {
        #(#attrs)*
        #vis fn #name() {
            #function
            #bastion::Bastion::init();
            #bastion::Bastion::children(|children| children.with_redundancy(#redundancy).#exec)
                .expect("nobody stops it before it is started");
            #bastion::Bastion::start();
            #bastion::Bastion::block_until_stopped();
        }
    })
}

fn checked(item: TokenStream) -> Result<ItemFn> {
    let function = asynchronous(item, "#[bastion::root]")?;
    let signature = &function.sig;
    if signature.ident != "main" {
        return Err(Error::new_spanned(&signature.ident, "#[bastion::root] is for `main` only"));
    }
    if signature.inputs.len() != 1 {
        let text = "the root takes one argument, its `BastionContext`";
        return Err(match signature.inputs.iter().nth(1) {
            Some(second) => Error::new_spanned(second, text),
            None => Error::new(signature.paren_token.span.join(), text),
        });
    }
    if let ReturnType::Default = signature.output {
        let text = "the root returns a `Result<(), ()>`";
        return Err(Error::new(signature.paren_token.span.close(), text));
    }
    Ok(function)
}

/// The arguments of `root`.
struct Settings {
    redundancy: usize,
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Settings { redundancy: 1 });
        }
        let name: Ident = input.parse()?;
        if name != "redundancy" {
            return Err(Error::new(name.span(), "expected `redundancy = N`"));
        }
        input.parse::<Token![=]>()?;
        let redundancy = input.parse::<LitInt>()?.base10_parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("`redundancy = N` is the only argument"));
        }
        Ok(Settings { redundancy })
    }
}
