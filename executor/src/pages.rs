//! Which NUMA node a page of this program's memory lies on: one system call, no decisions.
//!
//! Linux only; elsewhere it is not known.

/// Returns the node of the page at an address, by the operating system's number; none if there is no page, or the system does not tell.
pub(crate) fn node_of(address: usize) -> Option<u32> {
    sys::node_of(address)
}

#[cfg(target_os = "linux")]
mod sys {
    use std::ffi::{c_int, c_ulong, c_void};
    use std::ptr::{null, without_provenance};

    pub(super) fn node_of(address: usize) -> Option<u32> {
        let page: *const c_void = without_provenance(address);
        let mut node: c_int = -1;
        let (this_process, one, no_flags): (c_int, c_ulong, c_int) = (0, 1, 0);
        let query: *const c_int = null();
        // SAFETY: without a list of nodes (`query` is null) the call moves nothing. It reads one address from `page`, which it looks up in the
        // page table and does not follow, and writes one `c_int` to `node`; both live until it returns.
        let result = unsafe {
            libc::syscall(
                libc::SYS_move_pages,
                this_process,
                one,
                &raw const page,
                query,
                &raw mut node,
                no_flags,
            )
        };
        // A negative number is an error of this one page.
        if result == 0 { u32::try_from(node).ok() } else { None }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_in_use_lies_somewhere_and_what_is_not_mapped_nowhere() {
            let here = 0_u8;
            let found = node_of((&raw const here).addr());
            // Some sandboxes refuse the call.
            if found.is_some() {
                assert!(found < Some(1024));
            }
            assert_eq!(node_of(0), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod sys {
    pub(super) fn node_of(_address: usize) -> Option<u32> {
        None
    }
}
