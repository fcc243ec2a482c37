//! What is looked for, and replaced, in the types of messages: names, and `Self`.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Says whether a name occurs.
pub(super) fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Names the state where a type says `Self`, which elsewhere than in its block would be another type.
pub(super) fn without_self(tokens: TokenStream, state: &TokenStream) -> TokenStream {
    let mut replaced = TokenStream::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let is_prefix =
                    matches!(rest.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                let state = if is_prefix { quote!(<#state>) } else { state.clone() };
                state.to_tokens(&mut replaced);
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_self(group.stream(), state));
                inner.set_span(group.span());
                inner.to_tokens(&mut replaced);
            }
            other => other.to_tokens(&mut replaced),
        }
    }
    replaced
}
