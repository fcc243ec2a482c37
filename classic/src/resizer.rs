//! [`OptimalSizeExploringResizer`]: when a group of children grows and shrinks.

use bastion_supervision::{Elastic, Sizing};
use std::time::Duration;

/// More children no group grows to.
const MOST: u64 = 65_536;

/// The rules by which a group grows and shrinks: see [`Children::with_resizer`](crate::children::Children::with_resizer).
///
/// At each tick of the group ([`with_heartbeat_tick`](crate::children::Children::with_heartbeat_tick)) it grows if more messages than the threshold
/// wait for each child, and it shrinks if for a whole tick fewer children than a part of them had something to do.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// use bastion_classic::resizer::{OptimalSizeExploringResizer, UpperBound, UpscaleStrategy};
/// use std::time::Duration;
/// fn workers(children: Children) -> Children {
///     let resizer = OptimalSizeExploringResizer::default()
///         .with_lower_bound(2)
///         .with_upper_bound(UpperBound::Limit(20))
///         .with_upscale_strategy(UpscaleStrategy::MailboxSizeThreshold(5))
///         .with_upscale_rate(0.5)
///         .with_downscale_threshold(0.3)
///         .with_downscale_rate(0.25);
///     children.with_resizer(resizer).with_heartbeat_tick(Duration::from_secs(1))
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OptimalSizeExploringResizer {
    lower: u64,
    upper: UpperBound,
    upscale: UpscaleStrategy,
    upscale_rate: f64,
    downscale_threshold: f64,
    downscale_rate: f64,
}

/// How many children a group may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpperBound {
    /// So many; if that is fewer than the lower bound, as many as that.
    Limit(u64),
    /// As many as it takes, up to 65,536.
    Unlimited,
}

/// When a group grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpscaleStrategy {
    /// When more messages than so many wait for each child, in the mean.
    MailboxSizeThreshold(u32),
}

/// At least one child, at most ten; three messages for each; a tenth more, or, while fewer than three tenths have something to do, a tenth fewer.
impl Default for OptimalSizeExploringResizer {
    fn default() -> Self {
        OptimalSizeExploringResizer {
            lower: 1,
            upper: UpperBound::Limit(10),
            upscale: UpscaleStrategy::MailboxSizeThreshold(3),
            upscale_rate: 0.1,
            downscale_threshold: 0.3,
            downscale_rate: 0.1,
        }
    }
}

impl OptimalSizeExploringResizer {
    /// Sets how many children the group begins with, and has at least, but for those that end by themselves. Default: 1, which 0 means too.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::OptimalSizeExploringResizer;
    /// let resizer = OptimalSizeExploringResizer::default().with_lower_bound(0);
    /// assert_eq!(resizer, OptimalSizeExploringResizer::default());
    /// ```
    pub fn with_lower_bound(mut self, lower_bound: u64) -> Self {
        self.lower = lower_bound.clamp(1, MOST);
        self
    }

    /// Sets how many children the group has at most. Default: ten.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::{OptimalSizeExploringResizer, UpperBound};
    /// let resizer = OptimalSizeExploringResizer::default().with_upper_bound(UpperBound::Limit(10));
    /// assert_eq!(resizer, OptimalSizeExploringResizer::default());
    /// ```
    pub fn with_upper_bound(mut self, upper_bound: UpperBound) -> Self {
        self.upper = upper_bound;
        self
    }

    /// Sets when the group grows. Default: when more than three messages wait for each child.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::{OptimalSizeExploringResizer, UpscaleStrategy};
    /// let three = UpscaleStrategy::MailboxSizeThreshold(3);
    /// let resizer = OptimalSizeExploringResizer::default().with_upscale_strategy(three);
    /// assert_eq!(resizer, OptimalSizeExploringResizer::default());
    /// ```
    pub fn with_upscale_strategy(mut self, upscale_strategy: UpscaleStrategy) -> Self {
        self.upscale = upscale_strategy;
        self
    }

    /// Sets by which part of its size the group grows, rounded up. Default: 0.1. With what is not above 0 it never grows.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::OptimalSizeExploringResizer;
    /// // Twice as many, each time.
    /// let resizer = OptimalSizeExploringResizer::default().with_upscale_rate(1.0);
    /// ```
    pub fn with_upscale_rate(mut self, upscale_rate: f64) -> Self {
        self.upscale_rate = upscale_rate;
        self
    }

    /// Sets for which part of its size there has to be something to do, so that the group does not shrink. Default: 0.3. With what is not above 0 it
    /// never shrinks.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::OptimalSizeExploringResizer;
    /// // It shrinks while half of its children have nothing to do.
    /// let resizer = OptimalSizeExploringResizer::default().with_downscale_threshold(0.5);
    /// ```
    pub fn with_downscale_threshold(mut self, downscale_threshold: f64) -> Self {
        self.downscale_threshold = downscale_threshold;
        self
    }

    /// Sets by which part of its size the group shrinks, rounded up. Default: 0.1. With what is not above 0 it never shrinks.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::resizer::OptimalSizeExploringResizer;
    /// // It never shrinks.
    /// let resizer = OptimalSizeExploringResizer::default().with_downscale_rate(0.0);
    /// ```
    pub fn with_downscale_rate(mut self, downscale_rate: f64) -> Self {
        self.downscale_rate = downscale_rate;
        self
    }

    pub(crate) fn lower(&self) -> usize {
        self.lower as usize
    }

    /// The same, as the engine decides by it.
    pub(crate) fn sizing(&self, tick: Duration) -> Sizing {
        let upper = match self.upper {
            UpperBound::Limit(limit) => limit.min(MOST),
            UpperBound::Unlimited => MOST,
        };
        let UpscaleStrategy::MailboxSizeThreshold(threshold) = self.upscale;
        let elastic = Elastic::new().every(tick).calm(tick);
        let elastic = if self.upscale_rate > 0.0 {
            elastic.grow_above(threshold.into()).grow_by(self.upscale_rate)
        } else {
            elastic.grow_above(f64::INFINITY)
        };
        let elastic = if self.downscale_rate > 0.0 && self.downscale_threshold > 0.0 {
            elastic.shrink_below(self.downscale_threshold).shrink_by(self.downscale_rate)
        } else {
            elastic.shrink_below(0.0)
        };
        elastic.sizing(self.lower()..=self.lower.max(upper) as usize)
    }
}
