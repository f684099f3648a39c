/// A request method; case-sensitive (RFC 9110 section 9.1).
package struct Method: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Parameter text: capital letters and `-`, at most 20; anything else is refused by the parser and must not be given here.
    package init(text: String) { self.text = text }

    package static let get = Method(text: "GET")
    package static let head = Method(text: "HEAD")
    package static let post = Method(text: "POST")
    package static let put = Method(text: "PUT")
    package static let patch = Method(text: "PATCH")
    package static let delete = Method(text: "DELETE")
    package static let options = Method(text: "OPTIONS")
    package static let connect = Method(text: "CONNECT")

    package var description: String { text }
}
