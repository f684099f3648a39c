import Sticks
import Units

/// What a stick says: bounded, plain, and the same when it is written and read again.
package func fuzzStick(_ bytes: [UInt8]) -> String? {
    guard let document = try? FlatXML(bytes) else { return nil }
    let texts = [document.text] + document.values.values
    if bytes.count > FlatXML.byteLimit || document.values.count * 4 > bytes.count { return "more than there are bytes for" }
    if texts.contains(where: { text in text.unicodeScalars.contains { $0.value < 0x20 && !"\t\r\n".unicodeScalars.contains($0) } }) {
        return "a control character"
    }
    if !document.text.isEmpty, !document.values.isEmpty { return "a text beside elements" }
    func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&#x3e;")
    }
    let children = document.values.map { "<\($0.key)>\(escaped($0.value))</\($0.key)>" }.joined(separator: "\n")
    let written = "<\(document.root)>\(escaped(document.text))\(children)</\(document.root)>"
    // Escaped it may be longer than what may be read.
    guard written.utf8.count <= FlatXML.byteLimit else { return nil }
    return (try? FlatXML(Array(written.utf8))) == document ? nil : "a document that is another one when it is written and read"
}
