/// What our own questions to one stick have carried over its interface: the interface counts it, and no card does.
///
/// Rather too little than too much: what is known to have gone, with the frames that carried it, and nothing of what had no answer.
package struct OwnTraffic: Sendable, Hashable {
    package private(set) var sentBytes = 0
    package private(set) var receivedBytes = 0

    /// Ethernet, IPv4, and TCP with its timestamps (RFC 7323).
    private static let frame = 14 + 20 + 32
    /// The same with the options of a connection's first segments.
    private static let greeting = 14 + 20 + 40
    /// Of what a frame of 1500 bytes carries.
    private static let segment = 1448

    package init() {}

    /// One question and its answer, over a connection of their own. As sent are counted SYN, its ACK, the question and the last ACK; as received
    /// SYN and the answer.
    mutating func add(question: Int, answer: Int) {
        sentBytes += Self.greeting + 2 * Self.frame + Self.carried(question)
        receivedBytes += Self.greeting + Self.carried(answer)
    }

    private static func carried(_ bytes: Int) -> Int { bytes + (bytes + segment - 1) / segment * frame }
}
