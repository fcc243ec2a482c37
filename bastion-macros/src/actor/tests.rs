//! What is made of a block is, token for token, what stands in the file that says what one could type. `bastion/tests/actor.rs` uses both.

use super::actor;
use super::parse::OF_ADDRESSES;
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::{File, ImplItem, Item, Visibility, parse_file};

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join(path)
}

fn read(path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The text of each item, without the commas that rustfmt adds and takes.
fn shown(items: &[Item]) -> Vec<String> {
    let text = |item: &Item| item.to_token_stream().to_string();
    let plain = |text: String| text.replace(" ,)", ")").replace("doc = r\"", "doc = \"");
    items.iter().map(text).map(plain).collect()
}

#[test]
fn the_expansion_is_what_is_written_by_hand() {
    let mut made = TokenStream::new();
    for item in read(&workspace("bastion/tests/actor/by_macro.rs")).items {
        match item {
            Item::Impl(mut block) if !block.attrs.is_empty() => {
                block.attrs.clear();
                actor(TokenStream::new(), block.into_token_stream()).to_tokens(&mut made);
            }
            other => other.to_tokens(&mut made),
        }
    }
    let made: File = syn::parse2(made).unwrap();
    let by_hand = read(&workspace("bastion/tests/actor/by_hand.rs"));
    let (made, by_hand) = (shown(&made.items), shown(&by_hand.items));
    assert_eq!(made.len(), by_hand.len());
    made.iter().zip(&by_hand).for_each(|(made, by_hand)| assert_eq!(made, by_hand));
}

/// The others that are refused are in `bastion/tests/compile_fail`; files have no such code.
#[test]
fn what_is_not_safe_is_no_message() {
    let block = syn::parse_str("impl Counter { unsafe fn risk(&mut self) {} }").unwrap();
    let refused = super::try_actor(TokenStream::new(), block).unwrap_err();
    assert!(refused.to_string().contains("it is safe"), "{refused}");
}

/// A message with the name of such a method could not be sent by its own.
#[test]
fn every_method_of_an_address_is_known() {
    let mut methods = BTreeSet::new();
    collect(&workspace("supervision/src"), &mut methods);
    let known: BTreeSet<String> = OF_ADDRESSES.iter().map(|name| name.to_string()).collect();
    assert_eq!(methods, known, "`OF_ADDRESSES` in bastion-macros/src/actor/parse.rs");
}

fn collect(folder: &Path, methods: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, methods);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read(&path).items.iter().for_each(|item| methods.extend(of_addresses(item)));
        }
    }
}

/// The public methods of an `Address<M>`, whatever `M` is. Those of `Address<Msg>` are in nobody's way.
fn of_addresses(item: &Item) -> Vec<String> {
    let Item::Impl(block) = item else { return Vec::new() };
    let state = block.self_ty.to_token_stream().to_string();
    let is_any = |parameter: &syn::TypeParam| state == format!("Address < {} >", parameter.ident);
    if block.trait_.is_some() || !block.generics.type_params().any(is_any) {
        return Vec::new();
    }
    let public = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
            Some(method.sig.ident.to_string())
        }
        _ => None,
    });
    public.collect()
}
