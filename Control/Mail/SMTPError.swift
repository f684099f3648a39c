/// Why a server did not take a mail: by what libcurl says, which has none of the mail's words in it.
package struct SMTPError: Error, Hashable, Sendable, CustomStringConvertible {
    package let function: String
    package let code: Int32
    /// The last reply of the server (RFC 5321 section 4.2); 0 where there was none.
    package let reply: Int
    package let reason: String
    /// Whether the server had this mail before it, or a part of it: its answer is about the mail then.
    package var isAboutMail = false

    package var description: String { "\(function): \(reason) (\(code)\(reply == 0 ? "" : ", reply \(reply)"))" }

    /// Whether the server has refused this mail for good, and not us: another attempt gets the same answer. What it says at its door, a greeting
    /// of 554 among it (RFC 5321 section 3.1), is about us and today.
    package var isFinal: Bool {
        // 530, 535 and 538 are about our login (RFC 4954 section 6), which its operator can put right.
        isAboutMail && (500..<560).contains(reply) && ![530, 534, 535, 538].contains(reply)
    }
}
