import CPosix
import Glibc

/// Random bytes of the kernel, fit for keys (getrandom).
package enum SystemRandom {
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = cposix_random(buffer.baseAddress.map { $0 + filled }, count - filled)
                precondition(got > 0 || errno == EINTR, "getrandom without flags waits and cannot fail but by a signal")
                filled += max(0, got)
            }
        }
    }
}
