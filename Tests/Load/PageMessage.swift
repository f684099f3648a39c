/// What a page is told, as far as the load wants to know.
enum PageMessage: Hashable, Sendable {
    /// A sample that was sent at this time, in microseconds.
    case sample(Int64)
    /// A whole picture begins: the page had missed too much to go on.
    case picture
    case other

    /// A change is numbered; what belongs to a whole picture is not, and its samples are old. The time is the first of a sample's fields by name.
    init(_ text: String) {
        let head = Array(text.utf8.prefix(200))
        if head.starts(with: Self.pictureHead) {
            self = .picture
        } else if head.starts(with: Self.numbered), head.count > Self.numbered.count, Self.isDigit(head[Self.numbered.count]),
            let start = Self.end(of: Self.timeKey, in: head)
        {
            self = .sample(head[start...].prefix(while: Self.isDigit).reduce(0) { $0 &* 10 &+ Int64($1 - UInt8(ascii: "0")) })
        } else {
            self = .other
        }
    }

    private static let numbered = Array(#"{"seq":"#.utf8)
    private static let pictureHead = Array(#"{"seq":null,"topic":"all","#.utf8)
    private static let timeKey = Array(#""atMs":"#.utf8)

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func end(of key: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= key.count else { return nil }
        return (0...(bytes.count - key.count)).first { bytes[$0...].starts(with: key) }.map { $0 + key.count }
    }
}
