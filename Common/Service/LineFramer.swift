/// Cuts a stream of bytes into lines. Holds at most one unfinished line.
struct LineFramer {
    struct TooLong: Error, Equatable {
        let limit: Int
    }

    private let limit: Int
    private var unfinished: [UInt8] = []

    /// - Parameter limit: bytes of a line, its newline not counted.
    init(limit: Int) { self.limit = limit }

    /// Takes the next bytes and gives each finished line, without its newline; empty lines are skipped.
    mutating func feed(_ bytes: some Sequence<UInt8>, _ take: ([UInt8]) -> Void) throws(TooLong) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if !unfinished.isEmpty { take(unfinished) }
                unfinished.removeAll(keepingCapacity: true)
            } else if unfinished.count == limit {
                throw TooLong(limit: limit)
            } else {
                unfinished.append(byte)
            }
        }
    }
}
