//! Prefetch hints.

/// Requests the cache line of `target` without waiting for it. Does nothing for `None`, and
/// on processors other than x86-64 and 64-bit ARM.
#[inline(always)]
pub(super) fn prefetch<T>(target: Option<&T>) {
    if let Some(target) = target {
        hint(std::ptr::from_ref(target).cast());
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hint(address: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch has no visible effect and faults on no address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn hint(address: *const i8) {
    // SAFETY: a prefetch has no visible effect and faults on no address. The instruction
    // reads one register and does not use the stack.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{address}]",
            address = in(reg) address,
            options(nostack, preserves_flags, readonly),
        );
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn hint(_: *const i8) {}
