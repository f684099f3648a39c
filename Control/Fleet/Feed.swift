import FoundationEssentials
package import Units

/// What browsers watch: the latest text of each topic of an organisation, with a sequence number for each change, so that
/// a subscriber that was away gets what it missed, or all of it again.
///
/// A slow subscriber is never waited for: what it misses is counted by its own gap in the numbers, and it resumes.
package actor Feed {
    /// One change, encoded once for everybody.
    package struct Update: Sendable {
        package let sequence: Int
        /// `{"seq":…,"topic":…,"body":…}`; `body` is null where the topic is gone.
        package let text: String
    }

    private struct Topics {
        var latest: [String: Update] = [:]
        var recent: [Update] = []
        /// Begins anywhere, below the 2^53 that browsers count to: a number from before a restart of control is then above it or far
        /// below, and a browser that resumes from it gets the whole picture.
        var sequence = Int.random(in: 0..<1 << 52)
        var subscribers: [Int: AsyncStream<Update>.Continuation] = [:]
    }

    private var organizations: [OrganizationID: Topics] = [:]
    private var nextSubscriber = 0
    private let watchSink: AsyncStream<Void>.Continuation

    /// Says that `watched` may have changed; for one reader, `Roster`.
    package nonisolated let watchChanges: AsyncStream<Void>

    /// How many changes can be resumed from.
    static let recentLimit = 512
    /// Updates that wait for one subscriber; beyond it the newest are kept.
    static let subscriberLimit = 256

    package init() {
        (watchChanges, watchSink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameter body: JSON text; nil ends the topic.
    package func publish(_ organization: OrganizationID, topic: String, body: String?) {
        var topics = organizations[organization] ?? Topics()
        topics.sequence += 1
        let text = "{\"seq\":\(topics.sequence),\"topic\":\"\(topic)\",\"body\":\(body ?? "null")}"
        let update = Update(sequence: topics.sequence, text: text)
        topics.latest[topic] = body == nil ? nil : update
        topics.recent.append(update)
        if topics.recent.count > Self.recentLimit { topics.recent.removeFirst(topics.recent.count - Self.recentLimit) }
        for subscriber in topics.subscribers.values { subscriber.yield(update) }
        organizations[organization] = topics
    }

    package func publish(_ organization: OrganizationID, topic: String, encoding body: some Encodable) {
        publish(organization, topic: topic, body: Feed.json(body))
    }

    /// Everything after `since`; the whole picture where that is nil or too long ago.
    package func subscribe(_ organization: OrganizationID, since: Int?) -> AsyncStream<Update> {
        let (stream, continuation) = AsyncStream.makeStream(of: Update.self, bufferingPolicy: .bufferingNewest(Self.subscriberLimit))
        var topics = organizations[organization] ?? Topics()
        let missed: [Update]
        if let since, since <= topics.sequence, (topics.recent.first?.sequence ?? topics.sequence + 1) <= since + 1 {
            missed = topics.recent.filter { $0.sequence > since }
        } else {
            missed = topics.latest.values.sorted { $0.sequence < $1.sequence }
        }
        for update in missed { continuation.yield(update) }
        nextSubscriber += 1
        let number = nextSubscriber
        topics.subscribers[number] = continuation
        organizations[organization] = topics
        watchSink.yield()
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            Task { await self.unsubscribe(organization, number) }
        }
        return stream
    }

    /// The organisations that somebody watches: their telemetry is faster.
    package var watched: Set<OrganizationID> { Set(organizations.lazy.filter { !$0.value.subscribers.isEmpty }.map(\.key)) }

    private func unsubscribe(_ organization: OrganizationID, _ number: Int) {
        organizations[organization]?.subscribers[number] = nil
        watchSink.yield()
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
