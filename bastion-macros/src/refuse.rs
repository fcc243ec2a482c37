//! `refuse`: how macros by example say what is wrong at the place where it is, and not at the whole of them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Error, LitStr, Result};

/// Takes a text and what is wrong, of which the part up to the next `;` or `,` is underlined.
pub(crate) fn refuse(tokens: TokenStream) -> TokenStream {
    let refused = |input: ParseStream<'_>| -> Result<Error> {
        let text: LitStr = input.parse()?;
        let rest: TokenStream = input.parse()?;
        let part = rest.into_iter().take_while(|token| !ends(token)).flat_map(bare).collect();
        Ok(Error::new_spanned::<TokenStream, _>(part, text.value()))
    };
    refused.parse2(tokens).unwrap_or_else(|error| error).into_compile_error()
}

/// What another macro has parsed comes in a group that has its place in that macro; what is inside has its own.
fn bare(token: TokenTree) -> TokenStream {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => group.stream(),
        other => other.into(),
    }
}

fn ends(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ','))
}
