import Web

/// Changes of topics, numbered one by one: of each topic that has a state only the newest is kept, of the others each, while there is room.
///
/// So a subscriber that is slow gets fewer changes, and newer ones, not the more the longer it takes.
struct ChangeLog {
    private struct Change {
        /// nil where a newer one has taken its place.
        var text: SharedText?
        /// nil where each change of the topic counts.
        let topic: String?
        let bytes: Int
    }

    /// Begins anywhere, below the 2^53 that browsers count to: a number from before a restart of control is then above it or far
    /// below, and a browser that resumes from it gets the whole picture.
    private(set) var last = Int.random(in: 0..<1 << 52)
    private var changes: [Change] = []
    /// How many at the front are forgotten already: taken away together, as that moves all others.
    private var forgotten = 0
    /// The number of each topic's newest change.
    private var newest: [String: Int] = [:]
    private var bytes = 0

    /// How many changes can be resumed from: four seconds of 2,000 boards.
    static let limit = 8192
    /// Of text, packed and unpacked, 10,000 boards' newest samples; an organisation has no more in here.
    static let byteLimit = 16 << 20

    /// - Parameter isState: whether the newest change of the topic says all.
    mutating func append(_ topic: String, isState: Bool, _ text: (Int) -> String) {
        last += 1
        let shared = SharedText(text(last))
        let change = Change(text: shared, topic: isState ? topic : nil, bytes: shared.bytes)
        bytes += change.bytes
        if isState, let before = newest.updateValue(last, forKey: topic) {
            let place = changes.count - (last - before)
            changes[place].text = nil
            bytes -= changes[place].bytes
        }
        changes.append(change)
        while changes.count - forgotten > Self.limit || bytes > Self.byteLimit { forget() }
        if forgotten > Self.limit { (changes, forgotten) = (Array(changes[forgotten...]), 0) }
    }

    /// What comes after a number, in its order; nil where that is not known any more, or never was.
    func after(_ number: Int) -> [SharedText]? {
        guard number <= last, number >= last - (changes.count - forgotten) else { return nil }
        return changes.suffix(last - number).compactMap(\.text)
    }

    private mutating func forget() {
        let oldest = changes[forgotten]
        if oldest.text != nil {
            bytes -= oldest.bytes
            if let topic = oldest.topic { newest[topic] = nil }
            changes[forgotten].text = nil
        }
        forgotten += 1
    }
}
