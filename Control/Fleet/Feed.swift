import FoundationEssentials
package import Units

/// What browsers watch: the changes of each topic of an organisation, numbered one by one, so that a subscriber that was away gets
/// what it missed, or is told to begin with the whole picture. What there is lies with those who know it; this keeps changes only.
///
/// A slow subscriber is never waited for and nothing is kept for it: it asks for one change after the other at its own pace.
package actor Feed {
    /// One change, encoded once for everybody.
    package struct Update: Sendable {
        package let sequence: Int
        /// `{"seq":…,"topic":…,"body":…}`; `body` is null where the topic is gone.
        package let text: String
    }

    /// What a subscriber is to have next.
    package enum Next: Sendable {
        case update(Update)
        /// The whole picture, read from now on, after which it goes on from this number.
        case picture(Int)
    }

    private struct Topics {
        var recent: [Update] = []
        /// Begins anywhere, below the 2^53 that browsers count to: a number from before a restart of control is then above it or far
        /// below, and a browser that resumes from it gets the whole picture.
        var sequence = Int.random(in: 0..<1 << 52)
        var subscribers: [Int: AsyncStream<Void>.Continuation] = [:]

        mutating func publish(_ topic: String, _ body: String?) {
            sequence += 1
            recent.append(Update(sequence: sequence, text: Feed.text(sequence, topic, body)))
            if recent.count > Feed.recentLimit { recent.removeFirst(recent.count - Feed.recentLimit) }
            for subscriber in subscribers.values { subscriber.yield() }
        }
    }

    private var organizations: [OrganizationID: Topics] = [:]
    private var nextSubscriber = 0
    private let watchSink: AsyncStream<Void>.Continuation

    /// Says that `watched` may have changed; for one reader, `Roster`.
    package nonisolated let watchChanges: AsyncStream<Void>

    /// How many changes can be resumed from.
    static let recentLimit = 512

    package init() {
        (watchChanges, watchSink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameter body: JSON text; nil ends the topic.
    package func publish(_ organization: OrganizationID, topic: String, body: String?) {
        // In place: a value taken out and put back would be copied with all its changes, each time.
        organizations[organization, default: Topics()].publish(topic, body)
    }

    package func publish(_ organization: OrganizationID, topic: String, encoding body: some Encodable) {
        publish(organization, topic: topic, body: Feed.json(body))
    }

    /// Says at once, and after any number of changes, that there may be something next.
    package func subscribe(_ organization: OrganizationID) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        continuation.yield()
        nextSubscriber += 1
        let number = nextSubscriber
        organizations[organization, default: Topics()].subscribers[number] = continuation
        watchSink.yield()
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            Task { await self.unsubscribe(organization, number) }
        }
        return stream
    }

    /// What comes after a number; nil where that is the last one.
    ///
    /// - Parameter last: the number that the subscriber has; nil where it has none. One of another run, or of too long ago, is as good as none.
    package func next(of organization: OrganizationID, after last: Int?) -> Next? {
        let topics = organizations[organization] ?? Topics()
        organizations[organization] = topics
        guard let last, last <= topics.sequence, last >= topics.sequence - topics.recent.count else { return .picture(topics.sequence) }
        return last == topics.sequence ? nil : .update(topics.recent[topics.recent.count - (topics.sequence - last)])
    }

    /// The organisations that somebody watches: their telemetry is faster.
    package var watched: Set<OrganizationID> { Set(organizations.lazy.filter { !$0.value.subscribers.isEmpty }.map(\.key)) }

    private func unsubscribe(_ organization: OrganizationID, _ number: Int) {
        organizations[organization]?.subscribers[number] = nil
        watchSink.yield()
    }

    /// A message to a browser.
    ///
    /// - Parameters:
    ///   - sequence: nil in a whole picture: a browser that got half of one has nothing to resume from.
    ///   - body: JSON text; nil ends the topic.
    package static func text(_ sequence: Int?, _ topic: String, _ body: String?) -> String {
        "{\"seq\":\(sequence.map(String.init) ?? "null"),\"topic\":\"\(topic)\",\"body\":\(body ?? "null")}"
    }

    /// JSON text with sorted keys: the same value is always the same text.
    package static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("our wire types encode: their fields are texts, integers and numbers, and a non-finite one becomes a text")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
