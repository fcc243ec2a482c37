//! Writes what a user could type: the enum of the messages, what handles them, and the methods of the address.

use super::parse::{Actor, Argument, Message};
use super::tokens::mentions;
use crate::facade;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Ident, Token, TypeParam, TypeParamBound};

pub(super) fn actor(actor: &Actor<'_>) -> TokenStream {
    let generics = used(&actor.block.generics, &actor.messages);
    let name = format_ident!("{}Message", actor.name);
    let arguments = generics.split_for_impl().1;
    let names = Names { generics: &generics, message: quote!(#name #arguments) };
    let (message, handling, address) = (
        messages(actor, &name, &names),
        handling(actor, &name, &names),
        address(actor, &name, &names),
    );
    quote!(#message #handling #address)
}

/// The message's type, as it is written at every place.
struct Names<'a> {
    generics: &'a Generics,
    message: TokenStream,
}

fn messages(actor: &Actor<'_>, name: &Ident, names: &Names<'_>) -> TokenStream {
    let (conditions, visibility) = (conditions(actor), &actor.visibility);
    let (generics, bounds) = (names.generics, &names.generics.where_clause);
    let text = format!(" A message to a process whose state is a `{}`.", actor.name);
    let bastion = facade::bastion();
    let variants = actor.messages.iter().map(|message| {
        let (attributes, variant) = (documented(message, &actor.name), &message.variant);
        let (_, mut types) = message.values();
        let reply = message.reply.as_ref().map(|reply| quote!(#bastion::Reply<#reply>));
        types.extend(&reply);
        let fields = (!types.is_empty()).then(|| quote!((#(#types),*)));
        quote!(#(#attributes)* #variant #fields)
    });
    quote! {
        #(#conditions)*
        #[doc = #text]
        #visibility enum #name #generics #bounds {
            #(#variants,)*
        }
    }
}

fn handling(actor: &Actor<'_>, name: &Ident, names: &Names<'_>) -> TokenStream {
    let (conditions, visibility) = (conditions(actor), &actor.visibility);
    let (generics, _, bounds) = actor.block.generics.split_for_impl();
    let (state, message_type) = (&actor.block.self_ty, &names.message);
    let context = if actor.messages.iter().any(Message::takes_context) { "cx" } else { "_cx" };
    let context = Ident::new(context, Span::mixed_site());
    let arms = actor.messages.iter().map(|message| arm(message, name, &context));
    let (deprecated, bastion) = (deprecated(actor), facade::bastion());
    quote! {
        #(#conditions)*
        #[allow(dead_code)]
        impl #generics #state #bounds {
            /// Describes a process that handles its messages with a state that `start` makes, anew for every incarnation.
            #visibility fn child(
                start: impl ::core::ops::Fn() -> Self + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> #bastion::Child<#message_type> {
                #bastion::child(move |mut cx| {
                    let mut state = start();
                    async move { state.run(&mut cx).await }
                })
            }

            /// Handles messages until the process is asked to stop, or one of them ends it.
            #visibility async fn run(
                &mut self,
                cx: &mut #bastion::Context<#message_type>,
            ) -> ::core::result::Result<(), #bastion::Exit> {
                while let ::core::option::Option::Some(message) = cx.recv().await {
                    self.handle(message, cx).await?;
                }
                ::core::result::Result::Ok(())
            }

            /// Handles one message. An error is to end the process.
            #deprecated
            #visibility async fn handle(
                &mut self,
                message: #message_type,
                #context: &mut #bastion::Context<#message_type>,
            ) -> ::core::result::Result<(), #bastion::Exit> {
                match message {
                    #(#arms)*
                }
                ::core::result::Result::Ok(())
            }
        }
    }
}

fn arm(message: &Message, name: &Ident, context: &Ident) -> TokenStream {
    let Message { method, variant, .. } = message;
    let reply = Ident::new("reply", Span::mixed_site());
    let (mut parts, _) = message.values();
    parts.extend(message.reply.is_some().then_some(&reply));
    let parts = (!parts.is_empty()).then(|| quote!((#(#parts),*)));
    let arguments = message.arguments.iter().map(|argument| match argument {
        Argument::Value { name, .. } => name,
        Argument::Context => context,
        Argument::Reply => &reply,
    });
    let wait = message.is_async.then(|| quote!(.await));
    let check = message.may_exit.then(|| quote!(?));
    let mut call = quote!(self.#method(#(#arguments),*) #wait #check);
    if message.returns_reply {
        call = quote!(#reply.send(#call));
    }
    let conditions = message.attributes.iter().filter(|kept| kept.path().is_ident("cfg"));
    quote!(#(#conditions)* #name::#variant #parts => #call,)
}

fn address(actor: &Actor<'_>, name: &Ident, names: &Names<'_>) -> TokenStream {
    let (conditions, visibility) = (conditions(actor), &actor.visibility);
    let address = format_ident!("{}Address", actor.name);
    let text = format!(
        " The messages to a process whose state is a `{}`, as methods of its address.",
        actor.name
    );
    let message_type = &names.message;
    let (declared, arguments, bounds) = names.generics.split_for_impl();
    let signatures = actor.messages.iter().map(|message| {
        let (attributes, signature) =
            (documented(message, &actor.name), stub(message, message_type));
        quote!(#(#attributes)* #signature;)
    });
    let bodies = actor.messages.iter().map(|message| {
        let conditions = message.attributes.iter().filter(|kept| kept.path().is_ident("cfg"));
        let (signature, body) = (stub(message, message_type), sent(message, name));
        quote!(#(#conditions)* #signature { #body })
    });
    let (deprecated, bastion) = (deprecated(actor), facade::bastion());
    quote! {
        #(#conditions)*
        #[doc = #text]
        #[allow(dead_code)]
        #visibility trait #address #declared #bounds {
            #(#signatures)*
        }

        #(#conditions)*
        #deprecated
        impl #declared #address #arguments for #bastion::Address<#message_type> #bounds {
            #(#bodies)*
        }
    }
}

/// The method of the address.
fn stub(message: &Message, message_type: &TokenStream) -> TokenStream {
    let method = &message.method;
    let (names, types) = message.values();
    let bastion = facade::bastion();
    let returned = match &message.reply {
        Some(reply) => quote!(#bastion::Ask<#reply>),
        None => quote!(::core::result::Result<(), #bastion::TellError<#message_type>>),
    };
    quote!(fn #method(&self #(, #names: #types)*) -> #returned)
}

fn sent(message: &Message, name: &Ident) -> TokenStream {
    let variant = &message.variant;
    let (values, _) = message.values();
    let reply = Ident::new("reply", Span::mixed_site());
    match (message.reply.is_some(), values.is_empty()) {
        (true, true) => quote!(self.ask(#name::#variant)),
        (true, false) => quote!(self.ask(|#reply| #name::#variant(#(#values,)* #reply))),
        (false, true) => quote!(self.tell(#name::#variant)),
        (false, false) => quote!(self.tell(#name::#variant(#(#values),*))),
    }
}

/// The attributes of a message, among them a text in any case.
fn documented(message: &Message, state: &Ident) -> Vec<TokenStream> {
    let mut attributes: Vec<_> = message.attributes.iter().map(ToTokens::to_token_stream).collect();
    if !message.attributes.iter().any(|kept| kept.path().is_ident("doc")) {
        let text = format!(" Calls `{state}::{}`.", message.method);
        attributes.push(quote!(#[doc = #text]));
    }
    attributes
}

/// The conditions under which the block is there, and all that is made of it.
fn conditions<'a>(actor: &Actor<'a>) -> Vec<&'a syn::Attribute> {
    actor.block.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// Whoever sends a deprecated message is to be warned, and not the one who handles it.
fn deprecated(actor: &Actor<'_>) -> Option<TokenStream> {
    let mut attributes = actor.messages.iter().flat_map(|message| &message.attributes);
    attributes
        .any(|attribute| attribute.path().is_ident("deprecated"))
        .then(|| quote!(#[allow(deprecated)]))
}

/// The generics that the messages need. What only the state needs, its address does not show.
fn used(generics: &Generics, messages: &[Message]) -> Generics {
    let types: TokenStream = messages
        .iter()
        .flat_map(|message| message.values().1.into_iter().chain(&message.reply).cloned())
        .collect();
    let (needed, others): (Vec<_>, Vec<_>) = generics
        .params
        .iter()
        .cloned()
        .partition(|parameter| mentions(&types, &parameter_name(parameter)));
    let mut others: Vec<String> = others.iter().map(parameter_name).collect();
    others.push("Self".into());
    let foreign = |tokens: &TokenStream| others.iter().any(|other| mentions(tokens, other));
    let mut used = Generics { params: needed.into_iter().collect(), ..Generics::default() };
    for parameter in used.type_params_mut() {
        keep_bounds(parameter, &foreign);
    }
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    for predicate in predicates {
        let tokens = predicate.to_token_stream();
        let is_about = used.params.iter().any(|own| mentions(&tokens, &parameter_name(own)));
        if is_about && !foreign(&tokens) {
            used.make_where_clause().predicates.push(predicate.clone());
        }
    }
    used
}

fn keep_bounds(parameter: &mut TypeParam, foreign: &impl Fn(&TokenStream) -> bool) {
    let bounds = std::mem::take(&mut parameter.bounds);
    let kept = bounds.into_iter().filter(|bound| !foreign(&bound.to_token_stream()));
    parameter.bounds = kept.collect::<Punctuated<TypeParamBound, Token![+]>>();
    if parameter.bounds.is_empty() {
        parameter.colon_token = None;
    }
}

fn parameter_name(parameter: &GenericParam) -> String {
    let name = match parameter {
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
    };
    name.to_string()
}
