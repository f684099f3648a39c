package import BondWire

/// Who speaks, by the audio levels that packets carry (RFC 6464), and who is seen where only some are.
///
/// A level is what a client says of itself: it moves pictures and nothing else. Whoever coughs becomes nobody's picture: the speaker
/// changes when somebody is clearly louder for half a second, or when the one before has been silent for as long.
package struct Speakers: Sendable {
    /// Decibels above silence, 127 less the level: from here on it is speech, and below the second it is over. A quiet room is 50 to 70.
    private static let speech: Int32 = 82
    private static let silence: Int32 = 74
    /// So much louder than the speaker somebody has to be.
    private static let louder: Int32 = 6
    /// Levels are averaged over this.
    package static let interval: Microseconds = 100_000
    /// Five intervals.
    private static let patience = 5
    /// Of scores, so that averages keep their fractions.
    private static let scale: Int32 = 256

    private struct Voice: Sendable {
        var isUsed = false
        var sum: Int32 = 0
        var count: Int32 = 0
        /// The average of the last half second, about.
        var score: Int32 = 0
        var isSpeaking = false
        /// Intervals in a row in which it was silent; and in which it was louder than the speaker.
        var quiet = 0
        var ahead = 0
    }

    private var voices: [Voice] = []
    private var updated: Microseconds?
    /// Who was heard most lately is first; whoever never spoke is behind, in the order of coming.
    private var order: [Int] = []

    /// Whose picture is the large one: who speaks, or has spoken last.
    package private(set) var dominant: Int?

    package init() {}

    /// - Returns: a number for whoever has come, the lowest that is free.
    package mutating func add() -> Int {
        let index = voices.firstIndex { !$0.isUsed } ?? voices.count
        if index == voices.count { voices.append(Voice()) }
        voices[index] = Voice(isUsed: true)
        order.append(index)
        return index
    }

    package mutating func remove(_ voice: Int) {
        guard isKnown(voice) else { return }
        voices[voice].isUsed = false
        order.removeAll { $0 == voice }
        if dominant == voice { dominant = nil }
    }

    /// Takes the level of one packet.
    /// - Parameter level: 0 is the loudest, 127 is silence. Source: RFC 6464, 3.
    package mutating func heard(_ voice: Int, level: UInt8) {
        guard isKnown(voice), voices[voice].count < 1000 else { return }
        voices[voice].sum += 127 - Int32(level & 0x7f)
        voices[voice].count += 1
    }

    package func isSpeaking(_ voice: Int) -> Bool { isKnown(voice) && voices[voice].isSpeaking }

    /// The first `count` of those who were heard most lately.
    package func latest(_ count: Int) -> ArraySlice<Int> { order.prefix(max(0, count)) }

    private func isKnown(_ voice: Int) -> Bool { voices.indices.contains(voice) && voices[voice].isUsed }

    /// To be called every 100 ms, or later.
    /// - Returns: whether there is another speaker, or somebody began or ceased to speak.
    package mutating func update(at now: Microseconds) -> Bool {
        guard let updated else {
            self.updated = now
            return false
        }
        let intervals = (now - updated) / Self.interval
        guard intervals > 0 else { return false }
        self.updated = updated + intervals * Self.interval
        let before = dominant
        var hasChanged = false
        for index in voices.indices where voices[index].isUsed {
            let wasSpeaking = voices[index].isSpeaking
            // After a long pause the first interval has what came, and the others are silent.
            for turn in 0..<min(Int(intervals), 2 * Self.patience) { average(index, isFirst: turn == 0) }
            if voices[index].isSpeaking != wasSpeaking { hasChanged = true }
        }
        elect()
        return hasChanged || dominant != before
    }

    private mutating func average(_ index: Int, isFirst: Bool) {
        var voice = voices[index]
        // Nothing came: silence is not sent (DTX).
        let level = isFirst && voice.count > 0 ? voice.sum * Self.scale / voice.count : 0
        // Up within two intervals, down within five, so that the gaps between words are none.
        voice.score += (level - voice.score) / (level > voice.score ? 2 : 5)
        voice.quiet = voice.score < Self.silence * Self.scale ? voice.quiet + 1 : 0
        if voice.score >= Self.speech * Self.scale { voice.isSpeaking = true }
        if voice.quiet >= Self.patience { voice.isSpeaking = false }
        voice.sum = 0
        voice.count = 0
        voices[index] = voice
    }

    private mutating func elect() {
        let threshold = dominant.flatMap { voices[$0].isSpeaking ? voices[$0].score + Self.louder * Self.scale : nil }
        var best: Int?
        for index in voices.indices where voices[index].isUsed && index != dominant {
            let voice = voices[index]
            let isAhead = voice.isSpeaking && voice.quiet == 0 && voice.score >= threshold ?? 0
            voices[index].ahead = isAhead ? voice.ahead + 1 : 0
            guard isAhead, threshold == nil || voice.ahead + 1 >= Self.patience else { continue }
            if best.map({ voices[$0].score < voice.score }) ?? true { best = index }
        }
        // Whoever speaks is among the latest, behind the one that is heard best.
        for index in voices.indices where voices[index].isUsed && voices[index].isSpeaking && voices[index].quiet == 0 {
            raise(index)
        }
        if let best { dominant = best }
        guard let dominant, order.first != dominant, let at = order.firstIndex(of: dominant) else { return }
        order.remove(at: at)
        order.insert(dominant, at: 0)
    }

    /// In front of all who are silent; those who speak keep their order.
    private mutating func raise(_ index: Int) {
        guard let at = order.firstIndex(of: index) else { return }
        let silent = order.firstIndex { !voices[$0].isSpeaking && $0 != dominant }
        guard let silent, silent < at else { return }
        order.remove(at: at)
        order.insert(index, at: silent)
    }
}
