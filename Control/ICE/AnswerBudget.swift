import BondWire
import Posix

/// How many strangers are told why they are refused: so many of one network and so many in all within a second. Of a fixed size: networks
/// share a counter where they meet in the table, and which do nobody outside foretells, because the hash has a key of the process.
struct AnswerBudget {
    private static let size = 1024

    private let forEach: Int
    private let forAll: Int
    private var second: Microseconds = -1
    private var answers = 0
    private var counters = [(second: Microseconds, answers: Int)](repeating: (-1, 0), count: size)

    init(_ limits: Limits) {
        forEach = limits.refusalsForEach
        forAll = limits.refusalsForAll
    }

    /// Counts an answer; false where there were enough in this second.
    mutating func mayAnswer(_ source: SocketAddress, at now: Microseconds) -> Bool {
        let current = now / 1_000_000
        if current != second { (second, answers) = (current, 0) }
        guard answers < forAll else { return false }
        let index = Int(UInt(bitPattern: source.network.hashValue) % UInt(Self.size))
        if counters[index].second != current { counters[index] = (current, 0) }
        guard counters[index].answers < forEach else { return false }
        counters[index].answers += 1
        answers += 1
        return true
    }
}
