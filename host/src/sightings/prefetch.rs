//! Asking the memory for what will be read soon.

/// Asks for a place in memory, and does not wait for it. Where there is no such
/// place nothing happens; nor on processors other than x86-64 and ARM of 64 bits.
#[inline(always)]
pub(super) fn prefetch<T>(place: Option<&T>) {
    if let Some(place) = place {
        hint(std::ptr::from_ref(place).cast());
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hint(place: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it changes nothing that a program can see, and faults on no
    // address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place) };
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn hint(place: *const i8) {
    // SAFETY: as above; it uses one register and touches no stack.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{place}]",
            place = in(reg) place,
            options(nostack, preserves_flags, readonly),
        );
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn hint(_: *const i8) {}
