import Meetings

/// Whatever somebody types: what is read as an address has ten signs of the alphabet, and is the same however it is written down again.
package func fuzzMeetingSlug(_ bytes: [UInt8]) -> String? {
    let typed = String(decoding: bytes, as: UTF8.self)
    guard let slug = MeetingSlug(typed: typed) else { return nil }
    if typed.utf8.count > MeetingSlug.typedLength { return "an address in a text that is too long for one" }
    let isPlain = slug.text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
    guard slug.text.utf8.count == MeetingSlug.length, isPlain else { return "an address of other signs" }
    let again = [slug.text, slug.spoken, slug.text.uppercased(), " \(slug.spoken) "]
    return again.allSatisfy { MeetingSlug(typed: $0) == slug } ? nil : "an address that is another one when it is written and read"
}
