//! Asking the memory for what will be read soon.

/// Asks for a place in memory, and does not wait for it. Where there is no such
/// place nothing happens; on other processors than x86-64 neither.
#[inline(always)]
pub(super) fn prefetch<T>(place: Option<&T>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(place) = place {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint. It changes nothing that a program can see, and faults
        // on no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
