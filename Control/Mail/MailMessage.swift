import HTTP

/// A mail as it is sent: headers, and the same words as text and as HTML. Source: RFC 5322, RFC 2045, RFC 2046.
struct MailMessage {
    let from: MailAddress
    let fromName: String
    let to: MailAddress
    let subject: String
    let text: String
    let html: String
    /// Unique, and the same for each attempt, so that whoever gets a mail twice sees it once.
    let id: String
    let unixSeconds: Int64

    /// No encoded text has `=_` in it (RFC 2045 section 6.7), and so nobody's words end a part.
    private static let boundary = "=_strata_part"

    /// - Throws: for a subject or a name that could become a header of its own.
    func bytes() throws(HeaderFault) -> [UInt8] {
        var headers = [
            // On a line of its own: a line with an encoded word has 76 characters at most.
            "From: \(try HeaderText.phrase(fromName, field: "from"))\r\n <\(from)>",
            "To: <\(to)>",
            "Subject: \(try HeaderText.unstructured(subject, field: "subject"))",
            // The zone of IMF-fixdate is an obsolete one here.
            "Date: \(HTTPDate.format(unixSeconds).dropLast(3))+0000",
            "Message-ID: <\(id)@\(from.host)>",
            // No out-of-office answer comes back (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(Self.boundary)\"",
        ]
        headers.append("")
        var result = Array(headers.joined(separator: "\r\n").utf8) + [0x0D, 0x0A]
        for (type, content) in [("text/plain", text), ("text/html", html)] {
            let head = "--\(Self.boundary)\r\nContent-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            result += Array(head.utf8) + QuotedPrintable.encode(content)
        }
        return result + Array("--\(Self.boundary)--\r\n".utf8)
    }
}
