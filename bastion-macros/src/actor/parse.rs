//! Reads an `impl` block: its type, its methods, and why one of them cannot be a message.

use super::tokens::without_self;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, GenericParam, Ident, ImplItem, ImplItemFn, ItemImpl,
    Pat, PathArguments, PathSegment, Result, ReturnType, Signature, Type, Visibility,
};

/// The methods of an address that would be called instead of a message's. A test keeps it complete.
pub(super) const OF_ADDRESSES: &[&str] = &[
    "ask",
    "ask_timeout",
    "dead_letter",
    "ended",
    "exit",
    "has_ended",
    "incarnation",
    "name",
    "pid",
    "queued",
    "recipient",
    "recipient_with",
    "send",
    "tell",
];

/// The methods of traits that everybody has in scope, and an address implements: the call of a message of this name would be ambiguous, or theirs.
/// Not `clone_from`, which takes `&mut self`: a message's method comes before it.
const OF_TRAITS: &[&str] = &["clone", "clone_into", "eq", "into", "ne", "to_owned", "try_into"];

/// The functions that are made beside the messages.
const MADE: &[&str] = &["child", "handle", "run"];

/// What an `impl` block says.
pub(super) struct Actor<'a> {
    pub(super) block: &'a ItemImpl,
    /// The name of the state's type, from which other names are made.
    pub(super) name: Ident,
    /// That of all methods.
    pub(super) visibility: Visibility,
    pub(super) messages: Vec<Message>,
}

/// A method that is a message.
pub(super) struct Message {
    pub(super) method: Ident,
    pub(super) variant: Ident,
    /// Those that concern the message too.
    pub(super) attributes: Vec<Attribute>,
    pub(super) is_async: bool,
    /// What the method is called with, in its order.
    pub(super) arguments: Vec<Argument>,
    /// The type of the reply, if it is a question.
    pub(super) reply: Option<TokenStream>,
    /// Whether the method returns the reply, instead of being given the right to send it.
    pub(super) returns_reply: bool,
    /// Whether the method may end the process.
    pub(super) may_exit: bool,
}

pub(super) enum Argument {
    /// A part of the message.
    Value {
        name: Ident,
        of_type: TokenStream,
    },
    Context,
    /// The right to answer.
    Reply,
}

impl Message {
    /// The parts of the message: names and types.
    pub(super) fn values(&self) -> (Vec<&Ident>, Vec<&TokenStream>) {
        let values = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Value { name, of_type } => Some((name, of_type)),
            Argument::Context | Argument::Reply => None,
        });
        values.unzip()
    }

    pub(super) fn takes_context(&self) -> bool {
        self.arguments.iter().any(|argument| matches!(argument, Argument::Context))
    }
}

/// Reads a block. The error is all that is wrong with it.
pub(super) fn actor(block: &ItemImpl) -> Result<Actor<'_>> {
    let name = state_name(block)?;
    let mut errors = Vec::new();
    for parameter in &block.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let text = "the state of a process owns what it has: it has no lifetime";
            errors.push(Error::new_spanned(lifetime, text));
        }
    }
    let mut messages: Vec<Message> = Vec::new();
    let mut visibility = None;
    let state = block.self_ty.to_token_stream();
    for item in &block.items {
        let ImplItem::Fn(method) = item else {
            let text = "only messages stand in this block: move this to another `impl` block";
            errors.push(Error::new_spanned(item, text));
            continue;
        };
        let first = visibility.get_or_insert((&method.vis, &method.sig.ident));
        let read = same_visibility(method, *first)
            .and_then(|()| message(method, &state))
            .and_then(|message| distinct(message, &messages));
        match read {
            Ok(message) => messages.push(message),
            Err(error) => errors.push(error),
        }
    }
    if block.items.is_empty() {
        let text = "there is no method here that could become a message";
        errors.push(Error::new_spanned(&block.self_ty, text));
    }
    let all = errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    });
    match (all, visibility) {
        (None, Some((visibility, _))) => {
            Ok(Actor { block, name, visibility: visibility.clone(), messages })
        }
        (all, _) => Err(all.expect("a block without methods is wrong")),
    }
}

fn state_name(block: &ItemImpl) -> Result<Ident> {
    if let Some((_, path, _)) = &block.trait_ {
        let text = "#[bastion::actor] is for the type's own `impl` block, not for a trait's";
        return Err(Error::new_spanned(path, text));
    }
    last_segment(&block.self_ty).map(|segment| segment.ident.clone()).ok_or_else(|| {
        Error::new_spanned(&block.self_ty, "the state of a process is a type with a name")
    })
}

fn same_visibility(method: &ImplItemFn, first: (&Visibility, &Ident)) -> Result<()> {
    let shown = |visibility: &Visibility| visibility.to_token_stream().to_string();
    let (own, others) = (shown(&method.vis), shown(first.0));
    if own == others {
        return Ok(());
    }
    let others = if others.is_empty() { "private" } else { &others };
    let text =
        format!("the messages of a block have one visibility, and `{}` is {others}", first.1);
    let place = if own.is_empty() { method.sig.ident.span() } else { method.vis.span() };
    Err(Error::new(place, text))
}

fn distinct(message: Message, others: &[Message]) -> Result<Message> {
    // Under different conditions two methods may have one name, as they may without the attribute.
    let same =
        |other: &&Message| other.variant == message.variant && other.method != message.method;
    match others.iter().find(same) {
        None => Ok(message),
        Some(other) => {
            let text = format!("`{}` makes the same message, `{}`", other.method, other.variant);
            Err(Error::new_spanned(&message.method, text))
        }
    }
}

fn message(method: &ImplItemFn, state: &TokenStream) -> Result<Message> {
    let signature = &method.sig;
    check_signature(signature)?;
    let variant = variant(&signature.ident)?;
    let mut arguments = Vec::new();
    let mut given = None;
    for input in signature.inputs.iter().skip(1) {
        let FnArg::Typed(input) = input else { continue };
        if let Some(attribute) = input.attrs.first() {
            let text = "an argument of a message has no attributes";
            return Err(Error::new_spanned(attribute, text));
        }
        let argument = match &*input.ty {
            Type::Reference(to) if is_named(&to.elem, "Context") => Argument::Context,
            other => match argument_of(other, "Reply") {
                Some(answer) if given.is_none() => {
                    given = Some(without_self(answer.to_token_stream(), state));
                    Argument::Reply
                }
                _ => {
                    owned(other, "a message owns what it carries")?;
                    let of_type = without_self(other.to_token_stream(), state);
                    Argument::Value { name: argument_name(&input.pat, arguments.len()), of_type }
                }
            },
        };
        arguments.push(argument);
    }
    let (returned, may_exit) = output(&signature.output)?;
    if let (Some(returned), Some(_)) = (&returned, &given) {
        let text = "the method answers with what it returns, or by its `Reply`: not both";
        return Err(Error::new_spanned(returned, text));
    }
    let attributes = method.attrs.iter().filter(|attribute| {
        ["doc", "cfg", "deprecated"].iter().any(|kept| attribute.path().is_ident(kept))
    });
    let returns_reply = returned.is_some();
    Ok(Message {
        method: signature.ident.clone(),
        variant,
        attributes: attributes.cloned().collect(),
        is_async: signature.asyncness.is_some(),
        arguments,
        reply: returned.map(|returned| without_self(returned, state)).or(given),
        returns_reply,
        may_exit,
    })
}

fn check_signature(signature: &Signature) -> Result<()> {
    let Some(FnArg::Receiver(receiver)) = signature.inputs.first() else {
        let text = "a message's method takes `&mut self` or `&self`: move what is no message to another `impl` block";
        return Err(Error::new_spanned(&signature.ident, text));
    };
    if receiver.reference.is_none() || receiver.colon_token.is_some() {
        let text = "the process keeps its state: take `&mut self` or `&self`";
        return Err(Error::new_spanned(receiver, text));
    }
    if let Some(unsafety) = &signature.unsafety {
        return Err(Error::new_spanned(
            unsafety,
            "whoever has the address may send it: it is safe",
        ));
    }
    if !signature.generics.params.is_empty() {
        let text =
            "a message has one type: give the generics to the `impl` block, or box the argument";
        return Err(Error::new_spanned(&signature.generics, text));
    }
    if let Some(conditions) = &signature.generics.where_clause {
        let text = "a message is always accepted: move the conditions to the `impl` block";
        return Err(Error::new_spanned(conditions, text));
    }
    let name = signature.ident.to_string();
    let taken = if OF_ADDRESSES.contains(&name.as_str()) {
        "is a method of every `Address`"
    } else if OF_TRAITS.contains(&name.as_str()) {
        "is a method of a trait that every `Address` has"
    } else if MADE.contains(&name.as_str()) {
        "is made by #[bastion::actor]"
    } else {
        return Ok(());
    };
    Err(Error::new_spanned(
        &signature.ident,
        format!("`{name}` {taken}: name the message otherwise"),
    ))
}

/// `add_all` makes the message `AddAll`.
fn variant(method: &Ident) -> Result<Ident> {
    let mut name = String::new();
    for word in method.unraw().to_string().split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => Ok(Ident::new(&name, method.span())),
        Err(_) => {
            let text =
                format!("no message can be named after it: `{name}` is no name of a variant");
            Err(Error::new_spanned(method, text))
        }
    }
}

/// The name of an argument in the address's method; patterns are the method's own affair.
fn argument_name(pattern: &Pat, place: usize) -> Ident {
    match pattern {
        Pat::Ident(pattern) => pattern.ident.clone(),
        _ => format_ident!("value_{place}", span = Span::mixed_site()),
    }
}

/// What the method replies, if it does, and whether it may end the process.
fn output(output: &ReturnType) -> Result<(Option<TokenStream>, bool)> {
    let ReturnType::Type(_, returned) = output else { return Ok((None, false)) };
    let (value, may_exit) = match fallible(returned) {
        Some((value, error)) if is_named(error, "Exit") => (value, true),
        _ => (&**returned, false),
    };
    if is_alias(value) {
        let text = "say which error: with `Exit` it ends the process, and any other one is replied";
        return Err(Error::new_spanned(value, text));
    }
    if matches!(value, Type::Tuple(values) if values.elems.is_empty()) {
        return Ok((None, may_exit));
    }
    owned(value, "a reply owns what it carries")?;
    Ok((Some(value.to_token_stream()), may_exit))
}

/// Refuses what cannot travel: it would borrow from its sender, or have no type of its own.
fn owned(of_type: &Type, rule: &str) -> Result<()> {
    match of_type {
        Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(is_static) => Ok(()),
        Type::Reference(reference) => {
            let owner = match &*reference.elem {
                Type::Slice(slice) => {
                    let element = &slice.elem;
                    quoted(quote!(Vec<#element>))
                }
                other if is_named(other, "str") => "`String`".into(),
                Type::TraitObject(_) | Type::ImplTrait(_) => "a box".into(),
                other => quoted(other.to_token_stream()),
            };
            Err(Error::new_spanned(of_type, format!("{rule}: {owner} instead of a reference")))
        }
        Type::ImplTrait(_) => {
            let text = format!("{rule}, and its type has a name: a box instead of `impl`");
            Err(Error::new_spanned(of_type, text))
        }
        Type::Tuple(tuple) => tuple.elems.iter().try_for_each(|element| owned(element, rule)),
        Type::Array(array) => owned(&array.elem, rule),
        other => last_segment(other)
            .map(types_of)
            .unwrap_or_default()
            .into_iter()
            .try_for_each(|argument| owned(argument, rule)),
    }
}

fn quoted(of_type: TokenStream) -> String {
    format!("`{}`", of_type.to_string().replace(' ', ""))
}

fn is_static(lifetime: &syn::Lifetime) -> bool {
    lifetime.ident == "static"
}

fn last_segment(of_type: &Type) -> Option<&PathSegment> {
    match of_type {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

fn is_named(of_type: &Type, name: &str) -> bool {
    last_segment(of_type).is_some_and(|segment| segment.ident == name)
}

/// The types that a type with this name is made of.
fn arguments_of<'a>(of_type: &'a Type, name: &str) -> Vec<&'a Type> {
    let segment = last_segment(of_type).filter(|segment| segment.ident == name);
    segment.map(types_of).unwrap_or_default()
}

fn types_of(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    });
    types.collect()
}

fn argument_of<'a>(of_type: &'a Type, name: &str) -> Option<&'a Type> {
    match arguments_of(of_type, name)[..] {
        [argument] => Some(argument),
        _ => None,
    }
}

/// Says whether it is some `Result` of one's own, whose error cannot be seen. That of another module, as `io::Result`, has no `Exit`.
fn is_alias(of_type: &Type) -> bool {
    let Type::Path(path) = of_type else { return false };
    let segments = &path.path.segments;
    let begins_at = |word: &str| segments.first().is_some_and(|first| first.ident == word);
    let is_own = segments.len() == 1 || ["crate", "self", "super"].into_iter().any(begins_at);
    is_own && is_named(of_type, "Result") && fallible(of_type).is_none()
}

/// The value and the error of a `Result`.
fn fallible(of_type: &Type) -> Option<(&Type, &Type)> {
    match arguments_of(of_type, "Result")[..] {
        [value, error] => Some((value, error)),
        _ => None,
    }
}
