//! `actor`: the methods of an `impl` block become messages, and those become methods of an address.
//!
//! `parse` reads the block and refuses what cannot be a message, `expand` writes what is made of it.

mod expand;
mod parse;
#[cfg(test)]
mod tests;
mod tokens;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Error, Item, Result, parse2};

/// Expands the attribute. A block that is refused stays, beside the errors: what else uses its methods has no errors of its own then.
pub(crate) fn actor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut block = item.clone();
    match try_actor(arguments, item) {
        Ok(expanded) => expanded,
        Err(error) => {
            error.to_compile_error().to_tokens(&mut block);
            block
        }
    }
}

fn try_actor(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "#[bastion::actor] takes no arguments"));
    }
    let Item::Impl(block) = parse2(item)? else {
        let text = "#[bastion::actor] is for an `impl` block, whose methods become messages";
        return Err(Error::new(Span::call_site(), text));
    };
    let actor = parse::actor(&block)?;
    let mut expanded = block.to_token_stream();
    expand::actor(&actor).to_tokens(&mut expanded);
    Ok(expanded)
}
