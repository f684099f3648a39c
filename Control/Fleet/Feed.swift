import FoundationEssentials
package import Units
package import Web

/// What browsers watch: the changes of each topic of an organisation, numbered one by one, so that a subscriber that was away gets
/// what it missed, or is told to begin with the whole picture. What there is lies with those who know it; this keeps changes only (`ChangeLog`).
///
/// A slow subscriber is never waited for and nothing is kept for it: it asks for what there is at its own pace.
package actor Feed {
    /// What a subscriber is to have next.
    package enum Next: Sendable {
        /// Changes in their order, each `{"seq":…,"topic":…,"body":…}`, encoded once for everybody; `body` is null where the topic is gone.
        /// A number that is left out is of a change that a later one has taken the place of.
        ///
        /// - upTo: the number of the last one.
        case changes([SharedText], upTo: Int)
        /// The whole picture, read from now on, after which it goes on from this number.
        case picture(Int)
    }

    private struct Topics {
        var log = ChangeLog()
        var subscribers: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private var organizations: [OrganizationID: Topics] = [:]
    private var nextSubscriber = 0
    private let watchSink: AsyncStream<Void>.Continuation

    /// Says that `watched` may have changed; for one reader, `Roster`.
    package nonisolated let watchChanges: AsyncStream<Void>

    package init() {
        (watchChanges, watchSink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameters:
    ///   - body: JSON text; nil ends the topic.
    ///   - isState: whether the newest change of the topic says all; else each is told.
    package func publish(_ organization: OrganizationID, topic: String, body: String?, isState: Bool = true) {
        // In place: a value taken out and put back would be copied with all its changes, each time.
        organizations[organization, default: Topics()].log.append(topic, isState: isState) { Feed.text($0, topic, body) }
        for subscriber in organizations[organization]?.subscribers.values ?? [:].values { subscriber.yield() }
    }

    /// Encodes outside of the feed, which has everybody's changes to pass on.
    package nonisolated func publish(
        _ organization: OrganizationID, topic: String, encoding body: some Encodable & Sendable, isState: Bool = true
    ) async {
        await publish(organization, topic: topic, body: Feed.json(body), isState: isState)
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
        if organizations[organization] == nil { organizations[organization] = Topics() }
        let log = organizations[organization, default: Topics()].log
        guard let last, let texts = log.after(last) else { return .picture(log.last) }
        return texts.isEmpty ? nil : .changes(texts, upTo: log.last)
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
