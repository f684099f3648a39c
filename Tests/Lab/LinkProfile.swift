import Units

/// What one direction of a link does to packets. Everything at its default: a wire that loses and delays nothing.
package struct LinkProfile: Hashable, Sendable, Codable {
    /// In kbit/s of IP packets; nil: no limit. Not beside `trace`.
    package var rateKbit: Int?
    /// Times at which one packet of up to 1500 bytes may leave, in milliseconds, ascending; repeated from the start with the
    /// last time as the period: what `TraceFile` reads.
    package var trace: [Int]?
    package var delayMs = 0.0
    /// Each packet waits up to this much longer, evenly distributed; packets stay in order.
    package var jitterMs = 0.0
    /// The queue before the bottleneck, drop-tail: in bytes, or as the time that a full one takes to drain.
    package var queueBytes: Int?
    package var queueMs: Double?
    /// The share of packets that is lost after the bottleneck, 0...1, each by itself.
    package var loss = 0.0
    package var burst: BurstLoss?
    /// Nothing passes and nobody is told.
    package var blackout = false
    /// Larger IP packets vanish.
    package var mtu = 1500

    package init() {}

    package init(rateKbit: Int? = nil, delayMs: Double = 0, jitterMs: Double = 0, queueMs: Double? = nil, loss: Double = 0) {
        self.rateKbit = rateKbit
        self.delayMs = delayMs
        self.jitterMs = jitterMs
        self.queueMs = queueMs
        self.loss = loss
    }

    /// A link that a file says the times of.
    package init(traceFile path: String, delayMs: Double = 0, queueMs: Double? = nil) throws {
        trace = try TraceFile.read(path)
        self.delayMs = delayMs
        self.queueMs = queueMs
    }

    /// Every key may be missing, and `traceFile` stand for `trace`, with a file's path; an unknown one is an error, since a misspelt key would be a test of something else.
    package init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let all = try decoder.container(keyedBy: AnyKey.self)
        for key in all.allKeys where CodingKeys(stringValue: key.stringValue) == nil && key.stringValue != AnyKey.traceFile.stringValue {
            throw DecodingError.dataCorrupted(.init(codingPath: [key], debugDescription: "a link has no '\(key.stringValue)'"))
        }
        rateKbit = try values.decodeIfPresent(Int.self, forKey: .rateKbit)
        let path = try all.decodeIfPresent(String.self, forKey: .traceFile)
        trace = try path.map(TraceFile.read) ?? values.decodeIfPresent([Int].self, forKey: .trace)
        delayMs = try values.decodeIfPresent(Double.self, forKey: .delayMs) ?? 0
        jitterMs = try values.decodeIfPresent(Double.self, forKey: .jitterMs) ?? 0
        queueBytes = try values.decodeIfPresent(Int.self, forKey: .queueBytes)
        queueMs = try values.decodeIfPresent(Double.self, forKey: .queueMs)
        loss = try values.decodeIfPresent(Double.self, forKey: .loss) ?? 0
        burst = try values.decodeIfPresent(BurstLoss.self, forKey: .burst)
        blackout = try values.decodeIfPresent(Bool.self, forKey: .blackout) ?? false
        mtu = try values.decodeIfPresent(Int.self, forKey: .mtu) ?? 1500
        if let trace, !TraceFile.isTrace(trace) || rateKbit != nil || path != nil && values.contains(.trace) {
            throw DecodingError.dataCorruptedError(
                forKey: .trace, in: values,
                debugDescription: "a trace is ascending, ends after 0 ms and stands alone: without rateKbit, inline or as traceFile")
        }
    }

    /// The queue's bound in bytes; two full packets fit in any.
    var queueLimit: Int {
        if let queueBytes { return max(queueBytes, 3000) }
        guard let rate = meanBytesPerSecond else { return .max }
        return max(3000, Int((queueMs ?? 200) / 1000 * rate))
    }

    private var meanBytesPerSecond: Double? {
        if let rateKbit { return Double(rateKbit) * 125 }
        guard let trace, let period = trace.last else { return nil }
        return Double(trace.count * 1500) / Double(period) * 1000
    }
}

/// Loss in bursts: a chain with a good and a bad state, one step for each packet.
/// Source: E. N. Gilbert, Bell System Technical Journal 39 (1960); E. O. Elliott, ibid. 42 (1963).
package struct BurstLoss: Hashable, Sendable, Codable {
    /// The chance of a packet to turn a good link bad, and a bad one good.
    package var enter: Double
    package var leave: Double
    /// The share lost while the link is bad.
    package var loss: Double

    package init(enter: Double, leave: Double, loss: Double) {
        self.enter = enter
        self.leave = leave
        self.loss = loss
    }
}

/// Both directions of a link; `up` is away from the field.
package struct LinkShape: Hashable, Sendable, Codable {
    package var up: LinkProfile
    package var down: LinkProfile

    package init(up: LinkProfile, down: LinkProfile) {
        self.up = up
        self.down = down
    }

    /// The same in both directions.
    package init(_ profile: LinkProfile) { self.init(up: profile, down: profile) }
}

private struct AnyKey: CodingKey {
    static let traceFile = AnyKey("traceFile")
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
