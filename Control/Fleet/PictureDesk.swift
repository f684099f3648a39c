import FoundationEssentials
import Posix
package import Units
package import Wire

/// Pictures of inputs that no broadcast uses: a board is asked where somebody looks and what is there is old, and its answer is kept for those
/// who look meanwhile. In memory, and gone with the board's connection.
package actor PictureDesk {
    /// Why there is none now.
    package enum Refusal: Error, Sendable, Hashable {
        /// One of another input of this sender is on its way.
        case busy
        /// What the board says, or that it says nothing.
        case fault(String)
    }

    /// A picture as people are shown it.
    package struct Shown: Sendable, Hashable {
        package let picture: Thumbnail
        /// When it came, by control's own clock, Unix milliseconds.
        package let atMs: Int64
        fileprivate let at: Instant
    }

    private struct Place: Hashable {
        let sender: DeviceID
        let input: String
    }

    private var shown: [Place: Shown] = [:]
    private var faults: [Place: (text: String, at: Instant)] = [:]
    private var asking: [DeviceID: (input: String, answer: Task<String?, Never>)] = [:]

    /// Between two of one input, and how long the word of a board that it has none is good.
    package static let interval = Duration.seconds(5)
    /// Of all senders together; the oldest go.
    static let limit = 512

    package init() {}

    /// The newest picture, asked for where it is older than `interval`.
    ///
    /// - Parameter ask: asks the board; returns, once it has answered, why there is none.
    package func picture(
        of input: String, on sender: DeviceID, ask: @escaping @Sendable () async -> String?
    ) async throws(Refusal) -> Shown {
        let place = Place(sender: sender, input: input)
        if let known = shown[place], Instant.now - known.at < Self.interval { return known }
        if let fault = faults[place], Instant.now - fault.at < Self.interval { throw .fault(fault.text) }
        let answer: Task<String?, Never>
        if let asked = asking[sender] {
            guard asked.input == input else { throw .busy }
            answer = asked.answer
        } else {
            answer = Task { await ask() }
            asking[sender] = (input, answer)
        }
        let began = Instant.now
        let fault = await answer.value
        if asking[sender]?.answer == answer { asking[sender] = nil }
        if let known = shown[place], known.at >= began || Instant.now - known.at < Self.interval { return known }
        let text = fault ?? "the sender has sent no picture"
        if faults.count >= Self.limit { faults = faults.filter { Instant.now - $0.value.at < Self.interval } }
        if faults.count < Self.limit { faults[place] = (text, .now) }
        throw .fault(text)
    }

    /// A board sent one: shown where it was asked for, and is a small JPEG file.
    func arrived(_ received: InputPicture, from sender: DeviceID) {
        guard asking[sender]?.input == received.input, let data = Data(base64Encoded: received.base64) else { return }
        guard let picture = Thumbnail([UInt8](data)) else { return }
        let place = Place(sender: sender, input: received.input)
        if shown.count >= Self.limit, let oldest = shown.min(by: { $0.value.at < $1.value.at })?.key { shown[oldest] = nil }
        shown[place] = Shown(picture: picture, atMs: unixMilliseconds(), at: .now)
        faults[place] = nil
    }

    /// The sender is gone, or revoked.
    func forget(_ sender: DeviceID) {
        shown = shown.filter { $0.key.sender != sender }
        faults = faults.filter { $0.key.sender != sender }
    }
}
