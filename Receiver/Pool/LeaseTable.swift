package import Units
package import Wire

/// Which streams this host carries, and on which UDP ports. Opens nothing.
package struct LeaseTable: Sendable {
    package struct Entry: Sendable, Equatable {
        package var spec: StreamSpec
        package let port: Int
    }

    /// Why a lease was not given; the text holds the numbers.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case full(streams: Int, capacity: Int)
        /// In percent of all processors.
        case busy(percent: Int, limit: Int)
        case noPort(PortRange, ours: Int, others: Int)
        /// The lease exists with another stream's key or broadcast.
        case conflict(LeaseID)
        /// Another output has it, of this broadcast or of another.
        case listenerTaken(port: Int)
        /// The kernel's word, on what was asked for.
        case listenerUnfit(String)

        package var description: String {
            switch self {
            case .full(let streams, let capacity): "the host is full: \(streams) of \(capacity) streams"
            case .busy(let percent, let limit):
                "the host is busy: its processors were at \(percent) % in the last 10 s, and from \(limit) % on it takes no more streams"
            case .noPort(let range, let ours, let others):
                "no free UDP port in \(range.first)-\(range.last): \(ours) leased, \(others) in use by others"
            case .conflict: "its lease exists on this host for another broadcast or key"
            case .listenerTaken(let port): "another SRT listener of this host has port \(port): choose another port for this one"
            case .listenerUnfit(let reason): "this host cannot listen for SRT there: \(reason)"
            }
        }
    }

    package let capacity: Int
    private let cpuLimit: Int
    package let ports: PortRange
    private var entries: [LeaseID: Entry] = [:]
    /// Ports that leases had, kept for their return; the newest last.
    private var remembered: [(lease: LeaseID, port: Int)] = []

    private static let rememberedLimit = 1000

    /// - Parameters:
    ///   - cpuLimit: percent of all processors from which on no new lease is given; 100 for never.
    ///   - remembered: from `portsToKeep` of a predecessor.
    package init(capacity: Int, cpuLimit: Int = 100, ports: PortRange, remembered: [LeaseID: Int] = [:]) {
        self.capacity = capacity
        self.cpuLimit = cpuLimit
        self.ports = ports
        // An id begins with its time.
        for (lease, port) in remembered.sorted(by: { $0.key < $1.key }) { remember(lease, port) }
    }

    package var all: [Entry] { entries.values.sorted { $0.spec.lease < $1.spec.lease } }

    package subscript(lease: LeaseID) -> Entry? { entries[lease] }

    /// Which port each lease has or had: for the state folder.
    package var portsToKeep: [LeaseID: Int] {
        Dictionary(remembered.map { ($0.lease, $0.port) }, uniquingKeysWith: { _, newer in newer })
    }

    /// Gives a lease its port: the preferred or the remembered one if it is free, else the first free one that no other
    /// lease remembers, else any free one. The same lease again gets what it has.
    ///
    /// - Parameters:
    ///   - cpuPercent: how busy the host is; nil where nobody knows.
    ///   - isFree: whether nobody else on this host uses the port.
    ///   - listenerFault: see `admit`.
    package mutating func take(
        _ request: LeaseRequest, cpuPercent: Int? = nil, isFree: (Int) -> Bool, listenerFault: (SRTTarget) -> String?
    ) throws(Refusal) -> Entry {
        let lease = request.spec.lease
        if let entry = entries[lease] {
            guard entry.spec.broadcast == request.spec.broadcast, entry.spec.streamKey == request.spec.streamKey else {
                throw .conflict(lease)
            }
            return entry
        }
        guard entries.count < capacity else { throw .full(streams: entries.count, capacity: capacity) }
        // One that is made again was promised: right after a boot, with all streams coming back at once, every host is busy.
        if !request.isAgain, cpuLimit < 100, let cpuPercent, cpuPercent >= cpuLimit { throw .busy(percent: cpuPercent, limit: cpuLimit) }
        for (index, output) in request.spec.outputs.enumerated() {
            try admit(output, of: lease, beside: request.spec.outputs.prefix(index), listenerFault)
        }
        let entry = Entry(spec: request.spec, port: try pickPort(for: lease, preferred: request.preferredPort, isFree: isFree))
        entries[lease] = entry
        remember(lease, entry.port)
        return entry
    }

    /// Takes over a stream that runs already, whatever the capacity is now.
    ///
    /// - Returns: false where another lease has its port.
    package mutating func adopt(_ spec: StreamSpec, port: Int) -> Bool {
        guard entries[spec.lease] == nil, !entries.values.contains(where: { $0.port == port }) else { return false }
        entries[spec.lease] = Entry(spec: spec, port: port)
        remember(spec.lease, port)
        return true
    }

    /// Ends a lease; its port is free again and forgotten. Nothing happens to a lease that does not exist.
    package mutating func end(_ lease: LeaseID) {
        entries[lease] = nil
        remembered.removeAll { $0.lease == lease }
    }

    /// An output that is to come to a stream, or to go elsewhere: its SRT listener's port is held from here on.
    ///
    /// Nothing happens to a lease that does not exist.
    /// - Throws: where the port is not to be had; nothing is changed then.
    package mutating func add(_ output: OutputSpec, to lease: LeaseID, listenerFault: (SRTTarget) -> String?) throws(Refusal) {
        guard let before = entries[lease]?.spec.outputs else { return }
        let own = before.first { $0.id == output.id }?.listener?.listenerPlace
        // The kernel would say of its own port that it is taken.
        try admit(output, of: lease, beside: []) { listener in
            let isOwn = own.flatMap { own in listener.listenerPlace.map(own.excludes) } ?? false
            return isOwn ? nil : listenerFault(listener)
        }
        entries[lease]?.spec.outputs = before.filter { $0.id != output.id } + [output]
    }

    /// Two listeners that cannot both be had are refused here, before a receiver would try again and again.
    ///
    /// - Parameter listenerFault: why the kernel does not give a listener its address and port; nil where it would.
    private func admit(
        _ output: OutputSpec, of lease: LeaseID, beside others: ArraySlice<OutputSpec>, _ listenerFault: (SRTTarget) -> String?
    ) throws(Refusal) {
        guard let listener = output.listener, let place = listener.listenerPlace else { return }
        let leased = entries.flatMap { entry in entry.value.spec.outputs.filter { entry.key != lease || $0.id != output.id } }
        let held = (leased + others).compactMap(\.listener?.listenerPlace)
        guard !held.contains(where: { $0.excludes(place) }) else { throw .listenerTaken(port: listener.port) }
        if let fault = listenerFault(listener) { throw .listenerUnfit(fault) }
    }

    /// What the stream's receiver is started with from now on.
    package mutating func setOutputs(_ outputs: [OutputSpec], of lease: LeaseID) {
        entries[lease]?.spec.outputs = outputs
    }

    private mutating func remember(_ lease: LeaseID, _ port: Int) {
        remembered.removeAll { $0.lease == lease || $0.port == port }
        remembered.append((lease, port))
        if remembered.count > Self.rememberedLimit { remembered.removeFirst() }
    }

    private func pickPort(for lease: LeaseID, preferred: Int?, isFree: (Int) -> Bool) throws(Refusal) -> Int {
        let range = ports.first...ports.last
        let ours = Set(entries.values.map(\.port))
        let others = Set(remembered.filter { $0.lease != lease }.map(\.port))
        let wanted = [preferred, remembered.first { $0.lease == lease }?.port].compactMap(\.self).filter(range.contains)
        let fresh = range.lazy.filter { !others.contains($0) }
        var taken: Set<Int> = []
        // A port is asked for only once: asking binds it.
        for port in wanted + Array(fresh) + remembered.map(\.port).filter(range.contains)
        where !ours.contains(port) && !taken.contains(port) {
            if isFree(port) { return port }
            taken.insert(port)
        }
        throw .noPort(ports, ours: ours.count, others: taken.count)
    }
}

extension OutputSpec {
    fileprivate var listener: SRTTarget? {
        guard case .srt(let target) = target, target.mode == .listener else { return nil }
        return target
    }
}
