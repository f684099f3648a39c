import MPEGTS

/// What a process that encodes a slate gives back, as one that was taken over could: all of it lies in the slate's pictures, as many as the
/// format asks for. The first byte chooses the format.
package func fuzzSlate(_ bytes: [UInt8]) -> String? {
    guard let choice = bytes.first else { return nil }
    let words = [choice & 1 == 0 ? "h264" : "h265", "640", "360", "77", "30", choice & 2 == 0 ? "45000" : "18000"]
    guard let format = SlateFormat(words: words), format.words == words else { return "a format that is not what its words say" }
    let coded = Array(bytes.dropFirst())
    guard let slate = Slate(format: format, coded: coded) else { return nil }
    if slate.pictures.count != format.pictures { return "\(slate.pictures.count) of \(format.pictures) pictures" }
    return Array(slate.pictures.joined()) == coded ? nil : "a slate that is not what was encoded"
}
