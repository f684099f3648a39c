import Web

/// The first byte chooses the side and the extension, the rest is what arrives.
package func fuzzWebSocket(_ bytes: [UInt8]) -> String? {
    guard let choice = bytes.first else { return nil }
    let limit = 4096
    func transcript(step: Int) -> [String] {
        var transcript = FrameTranscript(isServer: choice & 1 == 0, deflate: choice & 2 != 0, limit: limit)
        var index = 1
        while index < bytes.count {
            let end = min(bytes.count, index + step)
            transcript.feed(Array(bytes[index..<end]))
            index = end
        }
        return transcript.lines
    }
    let whole = transcript(step: max(1, bytes.count))
    for step in [1, 9] where transcript(step: step) != whole { return "messages that arrive in pieces of \(step) are others" }
    return nil
}
