//! [`InPlace`]: how a large future comes into its process without a stay on the stack.

/// Makes a process's future where it will live, instead of moving it there.
///
/// `LightProc`'s constructors take anything that turns [into a future](IntoFuture). A future is moved into the process's
/// allocation, which costs nothing in an optimised build, and four copies on the caller's stack in an unoptimised one.
/// `InPlace` hands over the recipe instead: the function runs when the memory is there. In an optimised build the future
/// never touches the stack; in an unoptimised one there are two copies, because the compiler passes results by way of it.
///
/// # Examples
/// ```
/// use lightproc::{InPlace, LightProc, Polled};
///
/// async fn large(seed: u8) -> u8 {
///     let block = [seed; 1 << 18];
///     futures_lite::future::yield_now().await;
///     block[0]
/// }
/// let (mut process, handle) = LightProc::build(InPlace(|| large(7)), |_| {}, ());
/// while let Polled::Woken(again) = process.poll() {
///     process = again;
/// }
/// assert_eq!(futures_lite::future::block_on(handle), Some(7));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until a process is made of it"]
pub struct InPlace<C>(
    /// Makes the future.
    pub C,
);

impl<C, F> IntoFuture for InPlace<C>
where
    C: FnOnce() -> F,
    F: Future,
{
    type Output = F::Output;
    type IntoFuture = F;

    #[inline(always)]
    fn into_future(self) -> F {
        (self.0)()
    }
}
