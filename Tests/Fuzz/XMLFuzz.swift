import Blobs
import S3
import Units
import XML

/// A document: bounded, plain, and the same when it is written and read again.
package func fuzzXML(_ bytes: [UInt8]) -> String? {
    let limits = XMLTree.Limits(bytes: 8192, elements: 200, depth: 5)
    guard let tree = try? XMLTree(bytes, within: limits) else { return nil }
    var count = 0
    var written = ""
    func write(_ tree: XMLTree, depth: Int) -> String? {
        count += 1
        if depth > limits.depth { return "deeper than it may be" }
        if !tree.text.isEmpty, !tree.children.isEmpty { return "a text beside elements" }
        if tree.text.unicodeScalars.contains(where: { $0.value < 0x20 && !"\t\r\n".unicodeScalars.contains($0) }) {
            return "a control character"
        }
        written += "<\(tree.name)>\(escaped(tree.text))"
        for child in tree.children {
            if let fault = write(child, depth: depth + 1) { return fault }
        }
        written += "</\(tree.name)>"
        return nil
    }
    if let fault = write(tree, depth: 1) { return fault }
    if count > limits.elements { return "more elements than there may be" }
    // Escaped it may be longer than what may be read.
    guard written.utf8.count <= limits.bytes else { return nil }
    return (try? XMLTree(Array(written.utf8), within: limits)) == tree ? nil : "a document that is another one when it is written and read"
}

private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&#x3e;")
}

/// What a store answers: nothing of it leads out of where it belongs, or into a log.
package func fuzzStoreAnswer(_ bytes: [UInt8]) -> String? {
    if let failure = S3Failure(bytes) {
        let texts = [failure.code, failure.message, failure.region ?? ""]
        if !texts.allSatisfy(\.isPlain) { return "a refusal that does not show what it says" }
        // Each character of what is escaped becomes at most six.
        if texts.contains(where: { $0.unicodeScalars.count > 12_000 }) { return "a refusal without a bound" }
    }
    if let listing = try? S3Answers.listing(bytes) {
        if listing.entries.count > bytes.count { return "more objects than there are bytes for" }
        if listing.entries.contains(where: { $0.bytes < 0 }) { return "an object of less than nothing" }
        if let next = listing.next, !isWord(next) { return "a page whose name is no word" }
        if let fault = listing.entries.lazy.compactMap({ keyFault($0.key) }).first { return fault }
    }
    if let id = try? S3Answers.upload(bytes), !isWord(id) { return "an upload whose id is no word" }
    return keyFault(String(decoding: bytes, as: UTF8.self))
}

private func isWord(_ text: String) -> Bool {
    (1...1024).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
}

private func keyFault(_ text: String) -> String? {
    guard let key = ObjectKey(text) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = (4...6).contains(parts.count) && parts.allSatisfy { $0.first?.isASCII == true && $0.first != "." && !$0.contains("\\") }
    if !isPlain { return "a key that leads elsewhere" }
    return key.path == text ? nil : "a key that is another one when it is written"
}
