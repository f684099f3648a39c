import Glibc

/// A system call that failed: which one, on what, and errno.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    package let function: String
    package let code: CInt
    /// What it was called on: a path, an address, an interface.
    package let subject: String?

    /// Read errno in the line of the call: pass it here at once.
    package init(_ function: String, _ code: CInt = errno, on subject: String? = nil) {
        self.function = function
        self.code = code
        self.subject = subject
    }

    /// `Permission denied (13)`
    package var reason: String { "\(String(cString: strerror(code))) (\(code))" }

    /// `bind 127.0.0.1:80: Permission denied (13)`
    package var description: String { subject.map { "\(function) \($0): \(reason)" } ?? "\(function): \(reason)" }
}
