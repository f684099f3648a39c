package import Units

/// From the pool to control.
package enum PoolMessage: Message {
    case hello(PoolHello)
    case outcome(CommandOutcome)
    /// Whenever the state of a lease changes, and its figures once a second.
    case report(StreamReport)
    /// Each 5 s for a stream whose pictures come; dropped while the connection is slow.
    case thumbnail(StreamThumbnail)
    /// A lease that is over: ports are free again.
    case released(LeaseReference)
    /// Every second, so that a host that is there is heard, whatever becomes of its streams; dropped while the connection is slow.
    case load(HostLoadReport)
    /// When that changes, and each 5 s while there is any.
    case recordings(RecordingList)
    case unknown(String)
}

/// From control to the pool; each in a `Command`.
package enum PoolOrder: Message {
    /// Take a port, start a receiver, answer when it listens. Idempotent for the same lease.
    case lease(LeaseRequest)
    /// End the receiver and free its ports. Idempotent.
    case release(LeaseReference)
    case addOutput(OutputChange)
    case removeOutput(OutputReference)
    /// Try a failed output again now.
    case retryOutput(OutputReference)
    /// Dial again, and send what the stream shows until that connection ends. A second one for a lease ends the first.
    case preview(PreviewOrder)
    /// Try a target without media, and say whether it would take a stream.
    case testOutput(OutputTestOrder)
    /// Dial again, and give what is asked for of a take until that connection ends. Changes nothing on the disk.
    case bringRecording(BringRecordingOrder)
    /// Remove a take: control has a verified copy of it, or nobody wants it any more. Idempotent.
    case discardRecording(LeaseReference)
    case unknown(String)
}

package struct LeaseRequest: Codable, Sendable, Hashable {
    package var spec: StreamSpec
    /// The port the lease had before.
    package var preferredPort: Int?
    /// The stream was promised before and is made again after a loss; nil from an older control, which named a port then and else none.
    private var again: Bool?

    /// Whether it was promised before: a busy host takes it all the same.
    package var isAgain: Bool { again ?? (preferredPort != nil) }

    package init(spec: StreamSpec, preferredPort: Int? = nil, isAgain: Bool? = nil) {
        self.spec = spec
        self.preferredPort = preferredPort
        again = isAgain
    }
}

package struct LeaseReference: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package init(lease: LeaseID) { self.lease = lease }
}

package struct OutputChange: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var output: OutputSpec
    package init(lease: LeaseID, output: OutputSpec) {
        self.lease = lease
        self.output = output
    }
}

package struct OutputReference: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var output: OutputID
    package init(lease: LeaseID, output: OutputID) {
        self.lease = lease
        self.output = output
    }
}

package struct PoolHello: Codable, Sendable, Hashable {
    package var poolVersion: String
    /// Names and addresses that boards can reach, public ones behind a NAT.
    package var addresses: [String]
    package var portRange: PortRange
    /// Streams this host will take at most.
    package var capacity: Int
    package var leases: [LeaseReport]

    package init(poolVersion: String, addresses: [String], portRange: PortRange, capacity: Int, leases: [LeaseReport]) {
        self.poolVersion = poolVersion
        self.addresses = addresses
        self.portRange = portRange
        self.capacity = capacity
        self.leases = leases
    }
}

/// How busy a pool host is, whatever with.
package struct HostLoadReport: Codable, Sendable, Hashable {
    /// Percent of all processors over the last ten seconds; nil where the host does not see it.
    package var cpuPercent: Int?
    package init(cpuPercent: Int?) { self.cpuPercent = cpuPercent }
}

package struct PortRange: Codable, Sendable, Hashable {
    package var first: Int
    package var last: Int
    package init(first: Int, last: Int) {
        self.first = first
        self.last = last
    }

    package func contains(_ port: Int) -> Bool { first <= port && port <= last }
}

package struct LeaseReport: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var broadcast: BroadcastID
    package var port: Int
    /// Of the receiver; nil while it is being started again.
    package var pid: Int?
    package var outputs: [OutputID]

    package init(lease: LeaseID, broadcast: BroadcastID, port: Int, pid: Int?, outputs: [OutputID]) {
        self.lease = lease
        self.broadcast = broadcast
        self.port = port
        self.pid = pid
        self.outputs = outputs
    }
}

extension PoolMessage {
    package enum Kind: String, CaseIterable, Sendable { case hello, outcome, report, thumbnail, released, load, recordings }

    package var name: MessageName<Kind> {
        switch self {
        case .hello: .known(.hello)
        case .outcome: .known(.outcome)
        case .report: .known(.report)
        case .thumbnail: .known(.thumbnail)
        case .released: .known(.released)
        case .load: .known(.load)
        case .recordings: .known(.recordings)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .hello(let body): try container.encode(body, forKey: .body)
        case .outcome(let body): try container.encode(body, forKey: .body)
        case .report(let body): try container.encode(body, forKey: .body)
        case .thumbnail(let body): try container.encode(body, forKey: .body)
        case .released(let body): try container.encode(body, forKey: .body)
        case .load(let body): try container.encode(body, forKey: .body)
        case .recordings(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .hello: self = .hello(try body.decode(PoolHello.self, forKey: .body))
        case .outcome: self = .outcome(try body.decode(CommandOutcome.self, forKey: .body))
        case .report: self = .report(try body.decode(StreamReport.self, forKey: .body))
        case .thumbnail: self = .thumbnail(try body.decode(StreamThumbnail.self, forKey: .body))
        case .released: self = .released(try body.decode(LeaseReference.self, forKey: .body))
        case .load: self = .load(try body.decode(HostLoadReport.self, forKey: .body))
        case .recordings: self = .recordings(try body.decode(RecordingList.self, forKey: .body))
        }
    }
}

extension PoolOrder {
    package enum Kind: String, CaseIterable, Sendable {
        case lease, release, addOutput, removeOutput, retryOutput, preview, testOutput, bringRecording, discardRecording
    }

    package var name: MessageName<Kind> {
        switch self {
        case .lease: .known(.lease)
        case .release: .known(.release)
        case .addOutput: .known(.addOutput)
        case .removeOutput: .known(.removeOutput)
        case .retryOutput: .known(.retryOutput)
        case .preview: .known(.preview)
        case .testOutput: .known(.testOutput)
        case .bringRecording: .known(.bringRecording)
        case .discardRecording: .known(.discardRecording)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .lease(let body): try container.encode(body, forKey: .body)
        case .release(let body): try container.encode(body, forKey: .body)
        case .addOutput(let body): try container.encode(body, forKey: .body)
        case .removeOutput(let body): try container.encode(body, forKey: .body)
        case .retryOutput(let body): try container.encode(body, forKey: .body)
        case .preview(let body): try container.encode(body, forKey: .body)
        case .testOutput(let body): try container.encode(body, forKey: .body)
        case .bringRecording(let body): try container.encode(body, forKey: .body)
        case .discardRecording(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .lease: self = .lease(try body.decode(LeaseRequest.self, forKey: .body))
        case .release: self = .release(try body.decode(LeaseReference.self, forKey: .body))
        case .addOutput: self = .addOutput(try body.decode(OutputChange.self, forKey: .body))
        case .removeOutput: self = .removeOutput(try body.decode(OutputReference.self, forKey: .body))
        case .retryOutput: self = .retryOutput(try body.decode(OutputReference.self, forKey: .body))
        case .preview: self = .preview(try body.decode(PreviewOrder.self, forKey: .body))
        case .testOutput: self = .testOutput(try body.decode(OutputTestOrder.self, forKey: .body))
        case .bringRecording: self = .bringRecording(try body.decode(BringRecordingOrder.self, forKey: .body))
        case .discardRecording: self = .discardRecording(try body.decode(LeaseReference.self, forKey: .body))
        }
    }
}
