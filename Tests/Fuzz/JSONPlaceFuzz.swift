import Wire

/// A place lies within the text or right behind it.
package func fuzzJSONPlace(_ bytes: [UInt8]) -> String? {
    guard let place = JSONPlace(ofFaultIn: bytes) else { return bytes.isEmpty ? "an empty text is no JSON" : nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard (1...lines.count).contains(place.line) else { return "a line that the text does not have" }
    return (1...lines[place.line - 1].count + 1).contains(place.column) ? nil : "a column that the line does not have"
}
