package import Units

/// Enrollment tokens as a page that a browser prints: a box for each board, to be cut out and put to it.
package struct TokenSheet: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var organization: String?
        package var server: String
        package var expiresAt: String?
        package var token: Secret

        package init(name: String, organization: String?, server: String, expiresAt: String?, token: Secret) {
            self.name = name
            self.organization = organization
            self.server = server
            self.expiresAt = expiresAt
            self.token = token
        }
    }

    private let entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// HTML with everything in it: it asks nobody for anything, which the policy in it says as well.
    ///
    /// - Throws: `QRCode.Fault`.
    package func html() throws(QRCode.Fault) -> Secret {
        var boxes = ""
        for entry in entries { boxes += try Self.box(entry) }
        return Secret(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Enrollment tokens</title>
            <style>
            body { font: 10pt sans-serif; color: #000; background: #fff; }
            section { display: inline-flex; width: 86mm; border: 0.2mm dashed #000; padding: 3mm; margin: 0; break-inside: avoid; }
            svg { width: 38mm; height: 38mm; flex: none; }
            h2 { font-size: 12pt; margin: 0 0 1mm; overflow-wrap: anywhere; }
            p { margin: 0 0 1mm; overflow-wrap: anywhere; }
            code { font-size: 6pt; }
            </style>
            </head>
            <body>
            \(boxes)</body>
            </html>

            """)
    }

    private static func box(_ entry: Entry) throws(QRCode.Fault) -> String {
        let facts = [entry.organization, entry.server, entry.expiresAt.map { "good once, until \($0)" }].compactMap { $0 }
        let lines = facts.map { "<p>\(escaped($0))</p>" }.joined()
        let code = try QRCode(entry.token.revealed).svg
        let token = "<p><code>\(escaped(entry.token.revealed))</code></p>"
        return "<section>\(code)<div><h2>\(escaped(entry.name))</h2>\(lines)\(token)</div></section>\n"
    }

    /// As text of an element.
    private static func escaped(_ text: String) -> String {
        text.escaped().reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
