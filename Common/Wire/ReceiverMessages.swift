/// From the pool to its receiver over the Unix socket, each in a `Command`, a JSON line each, and back `ReceiverMessage`.
/// Changes of outputs are answered by an `outcome` with the command's id.
package enum ReceiverOrder: Message {
    /// Begin; the first line after the start. Answered by `listening`, or by an `outcome` that says why not.
    case open(ReceiverStart)
    /// Answered by `described`: for the parent that adopts.
    case describe
    case addOutput(OutputChange)
    case removeOutput(OutputReference)
    case retryOutput(OutputReference)
    case stop
    case unknown(String)
}

package enum ReceiverMessage: Message {
    case listening(LeaseReference)
    /// nil in `start` where the receiver was never opened.
    case described(ReceiverDescription)
    case report(StreamReport)
    /// Each 5 s while pictures come.
    case thumbnail(StreamThumbnail)
    case outcome(CommandOutcome)
    /// The last line: why it ends.
    case ended(EndReport)
    case unknown(String)
}

package struct ReceiverStart: Codable, Sendable, Hashable {
    package var spec: StreamSpec
    /// The UDP port that is leased to it.
    package var port: Int
    /// Addresses to bind, text form; `0.0.0.0` and `::` for all.
    package var bind: [String]

    package init(spec: StreamSpec, port: Int, bind: [String]) {
        self.spec = spec
        self.port = port
        self.bind = bind
    }
}

package struct ReceiverDescription: Codable, Sendable, Hashable {
    package var start: ReceiverStart?
    package init(start: ReceiverStart?) { self.start = start }
}

package struct EndReport: Codable, Sendable, Hashable {
    package var reason: String
    package init(reason: String) { self.reason = reason }
}

extension ReceiverOrder {
    package enum Kind: String, CaseIterable, Sendable { case open, describe, addOutput, removeOutput, retryOutput, stop }

    package var name: MessageName<Kind> {
        switch self {
        case .open: .known(.open)
        case .describe: .known(.describe)
        case .addOutput: .known(.addOutput)
        case .removeOutput: .known(.removeOutput)
        case .retryOutput: .known(.retryOutput)
        case .stop: .known(.stop)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .open(let body): try container.encode(body, forKey: .body)
        case .describe: break
        case .addOutput(let body): try container.encode(body, forKey: .body)
        case .removeOutput(let body): try container.encode(body, forKey: .body)
        case .retryOutput(let body): try container.encode(body, forKey: .body)
        case .stop: break
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .open: self = .open(try body.decode(ReceiverStart.self, forKey: .body))
        case .describe: self = .describe
        case .addOutput: self = .addOutput(try body.decode(OutputChange.self, forKey: .body))
        case .removeOutput: self = .removeOutput(try body.decode(OutputReference.self, forKey: .body))
        case .retryOutput: self = .retryOutput(try body.decode(OutputReference.self, forKey: .body))
        case .stop: self = .stop
        }
    }
}

extension ReceiverMessage {
    package enum Kind: String, CaseIterable, Sendable { case listening, described, report, thumbnail, outcome, ended }

    package var name: MessageName<Kind> {
        switch self {
        case .listening: .known(.listening)
        case .described: .known(.described)
        case .report: .known(.report)
        case .thumbnail: .known(.thumbnail)
        case .outcome: .known(.outcome)
        case .ended: .known(.ended)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .listening(let body): try container.encode(body, forKey: .body)
        case .described(let body): try container.encode(body, forKey: .body)
        case .report(let body): try container.encode(body, forKey: .body)
        case .thumbnail(let body): try container.encode(body, forKey: .body)
        case .outcome(let body): try container.encode(body, forKey: .body)
        case .ended(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .listening: self = .listening(try body.decode(LeaseReference.self, forKey: .body))
        case .described: self = .described(try body.decode(ReceiverDescription.self, forKey: .body))
        case .report: self = .report(try body.decode(StreamReport.self, forKey: .body))
        case .thumbnail: self = .thumbnail(try body.decode(StreamThumbnail.self, forKey: .body))
        case .outcome: self = .outcome(try body.decode(CommandOutcome.self, forKey: .body))
        case .ended: self = .ended(try body.decode(EndReport.self, forKey: .body))
        }
    }
}
