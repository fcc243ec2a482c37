//! What the crate `bastion` is called where a macro is used.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// Returns the path of the crate: the name that the dependency has in the manifest of whoever uses the macro, which may be another than its own.
pub(crate) fn bastion() -> TokenStream {
    let name = match crate_name("bastion") {
        Ok(FoundCrate::Name(name)) => name,
        // Its own tests and examples; or somebody for whom another crate hands the macro on, who must have the crate in scope.
        Ok(FoundCrate::Itself) | Err(_) => "bastion".into(),
    };
    let name = Ident::new(&name, Span::call_site());
    quote!(::#name)
}
