//! [`BastionPath`]: where in the tree an element is.

use crate::context::{BastionId, NIL_ID};
use std::fmt;
use std::sync::Arc;

/// The way from the root of the tree to an element: supervisors, then a children group, then a child.
///
/// It is shown as `/id/id/id`, and by `{:?}` as `/supervisor#id/children#id/child#id`. The root is shown as `/`.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.children(|children| children).unwrap();
/// let path = group.elems()[0].path();
/// println!("{path} or {path:?}");
/// # });
/// ```
#[derive(Clone)]
pub struct BastionPath {
    above: Option<Arc<BastionPath>>,
    this: Option<BastionPathElement>,
    dead_letters: bool,
}

/// The last element of a path.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.children(|children| children).unwrap();
/// let path = group.elems()[0].path();
/// assert!(matches!(path.elem(), Some(BastionPathElement::Child(id)) if id == path.id()));
/// # });
/// ```
#[derive(Clone, PartialEq)]
pub enum BastionPathElement {
    /// A supervisor.
    Supervisor(BastionId),
    /// A group of children.
    Children(BastionId),
    /// A child.
    Child(BastionId),
}

impl BastionPath {
    /// The path of the root.
    pub(crate) fn root() -> Arc<BastionPath> {
        Arc::new(BastionPath { above: None, this: None, dead_letters: false })
    }

    /// The path that is given as the sender of messages that nobody has signed.
    pub(crate) fn dead_letters() -> Arc<BastionPath> {
        let this = Some(BastionPathElement::Children(NIL_ID));
        Arc::new(BastionPath { above: None, this, dead_letters: true })
    }

    /// Returns the path one level below this one.
    ///
    /// # Errors
    /// What is wrong: supervisors are below the root and supervisors, groups below supervisors, children in groups.
    pub(crate) fn append(
        self: &Arc<BastionPath>,
        element: BastionPathElement,
    ) -> Result<Arc<BastionPath>, String> {
        use BastionPathElement::{Child, Children, Supervisor};
        let what = match &element {
            Supervisor(_) => "Supervisor",
            Children(_) => "Children",
            Child(_) => "Child",
        };
        let onto = match (&self.this, &element) {
            (None, Supervisor(_))
            | (Some(Supervisor(_)), Supervisor(_) | Children(_))
            | (Some(Children(_)), Child(_)) => {
                let above = Some(self.clone());
                return Ok(Arc::new(BastionPath {
                    above,
                    this: Some(element),
                    dead_letters: false,
                }));
            }
            (None, _) => "root",
            (Some(Supervisor(_)), _) => "a supervisor",
            (Some(Children(_)), _) => "children",
            (Some(Child(_)), _) => "a child",
        };
        Err(format!("{what} is not appendable to {onto}"))
    }

    /// Returns the id of the last element; [`NIL_ID`] for the root.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// let path = group.elems()[0].path();
    /// assert_eq!(path.id(), group.elems()[0].id());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        self.this.as_ref().map_or(&NIL_ID, BastionPathElement::id)
    }

    /// Returns the last element; `None` for the root.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// let path = group.elems()[0].path();
    /// assert!(path.elem().as_ref().unwrap().is_child());
    /// # });
    /// ```
    pub fn elem(&self) -> &Option<BastionPathElement> {
        &self.this
    }

    /// Says whether this is the address of nobody: that of the sender of a message that was sent anonymously.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// let path = group.elems()[0].path();
    /// assert!(!path.is_dead_letters());
    /// # });
    /// ```
    pub fn is_dead_letters(&self) -> bool {
        self.dead_letters
    }

    /// Returns the elements from the top to this one.
    fn elements(&self) -> Vec<&BastionPathElement> {
        let mut elements: Vec<_> = std::iter::successors(Some(self), |path| path.above.as_deref())
            .filter_map(|path| path.this.as_ref())
            .collect();
        elements.reverse();
        elements
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        element: impl Fn(&mut fmt::Formatter<'_>, &BastionPathElement) -> fmt::Result,
    ) -> fmt::Result {
        if self.this.is_none() {
            return f.write_str("/");
        }
        for part in self.elements() {
            f.write_str("/")?;
            element(f, part)?;
        }
        Ok(())
    }
}

impl fmt::Display for BastionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |f, element| write!(f, "{}", element.id()))
    }
}

impl fmt::Debug for BastionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |f, element| write!(f, "{element:?}"))
    }
}

impl BastionPathElement {
    /// Says whether this is a supervisor.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(BastionPathElement::Supervisor(NIL_ID).is_supervisor());
    /// ```
    pub fn is_supervisor(&self) -> bool {
        matches!(self, BastionPathElement::Supervisor(_))
    }

    /// Says whether this is a group of children.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(BastionPathElement::Children(NIL_ID).is_children());
    /// ```
    pub fn is_children(&self) -> bool {
        matches!(self, BastionPathElement::Children(_))
    }

    /// Says whether this is a child.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(BastionPathElement::Child(NIL_ID).is_child());
    /// ```
    pub fn is_child(&self) -> bool {
        matches!(self, BastionPathElement::Child(_))
    }

    fn id(&self) -> &BastionId {
        match self {
            BastionPathElement::Supervisor(id)
            | BastionPathElement::Children(id)
            | BastionPathElement::Child(id) => id,
        }
    }
}

impl fmt::Debug for BastionPathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            BastionPathElement::Supervisor(_) => "supervisor",
            BastionPathElement::Children(_) => "children",
            BastionPathElement::Child(_) => "child",
        };
        write!(f, "{kind}#{}", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::BastionPathElement::{Child, Children, Supervisor};
    use super::*;

    fn id() -> BastionId {
        BastionId::new()
    }

    fn path(elements: &[BastionPathElement]) -> Arc<BastionPath> {
        let append = |path: Arc<BastionPath>, element: &BastionPathElement| {
            path.append(element.clone()).expect("in order")
        };
        elements.iter().fold(BastionPath::root(), append)
    }

    #[test]
    fn section_10_what_is_appendable_to_what() {
        let (supervisor, children, child) = (Supervisor(id()), Children(id()), Child(id()));
        let root = path(&[]);
        let below = path(std::slice::from_ref(&supervisor));
        let group = path(&[supervisor.clone(), children.clone()]);
        let leaf = path(&[supervisor.clone(), children.clone(), child.clone()]);
        for (onto, element, refusal) in [
            (&root, &supervisor, None),
            (&root, &children, Some("Children is not appendable to root")),
            (&root, &child, Some("Child is not appendable to root")),
            (&below, &supervisor, None),
            (&below, &children, None),
            (&below, &child, Some("Child is not appendable to a supervisor")),
            (&group, &supervisor, Some("Supervisor is not appendable to children")),
            (&group, &children, Some("Children is not appendable to children")),
            (&group, &child, None),
            (&leaf, &supervisor, Some("Supervisor is not appendable to a child")),
            (&leaf, &children, Some("Children is not appendable to a child")),
            (&leaf, &child, Some("Child is not appendable to a child")),
        ] {
            let appended = onto.append(element.clone());
            assert_eq!(
                appended.as_ref().err().map(String::as_str),
                refusal,
                "{onto:?} {element:?}"
            );
        }
    }

    #[test]
    fn section_10_a_path_is_shown_from_the_top() {
        let ids = [id(), id(), id()];
        let leaf =
            path(&[Supervisor(ids[0].clone()), Children(ids[1].clone()), Child(ids[2].clone())]);
        assert_eq!(leaf.to_string(), format!("/{}/{}/{}", ids[0], ids[1], ids[2]));
        let debug = format!("/supervisor#{}/children#{}/child#{}", ids[0], ids[1], ids[2]);
        assert_eq!(format!("{leaf:?}"), debug);
        assert_eq!((path(&[]).to_string(), format!("{:?}", path(&[]))), ("/".into(), "/".into()));
        assert_eq!(leaf.id(), &ids[2]);
        assert!(leaf.elem().as_ref().is_some_and(BastionPathElement::is_child));
    }

    #[test]
    fn section_10_an_element_is_of_one_kind() {
        let kinds = |element: BastionPathElement| {
            [element.is_supervisor(), element.is_children(), element.is_child()]
        };
        assert_eq!(kinds(Supervisor(id())), [true, false, false]);
        assert_eq!(kinds(Children(id())), [false, true, false]);
        assert_eq!(kinds(Child(id())), [false, false, true]);
    }

    #[test]
    fn def_13_only_the_dead_letters_are_dead_letters() {
        assert!(BastionPath::dead_letters().is_dead_letters());
        let nested = [Supervisor(id()), Supervisor(id()), Children(id()), Child(id())];
        for length in 0..=nested.len() {
            assert!(!path(&nested[..length]).is_dead_letters());
        }
    }
}
