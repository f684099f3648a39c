import Glibc

/// The owner of a file descriptor: closes it when it goes.
package struct Descriptor: ~Copyable, Sendable {
    /// The descriptor, to pass to a call; it stays owned here.
    package let raw: CInt

    package init(adopting raw: CInt) { self.raw = raw }

    deinit { close(raw) }

    /// Gives the descriptor away: the caller closes it.
    package consuming func release() -> CInt {
        let raw = self.raw
        discard self
        return raw
    }
}
