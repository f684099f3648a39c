// Destinations that people change or remove while broadcasts go there.
package import Store
package import Units
package import Wire

extension BroadcastDirector {
    /// Removes a destination that nothing is sent to.
    ///
    /// - Throws: `.inUse` where a broadcast has an output to it: whoever is live keeps it until they take that off.
    package func remove(_ destination: DestinationID, in scope: OrganizationScope) async throws {
        let destinations = parts.store.store.destinations(in: scope)
        let name = try await destinations.find(destination).name
        try withhold(destination, name: name, for: .removal)
        defer { claims.giveBack(destination) }
        let users = try await users(of: destination, in: scope)
        guard users.isEmpty else { throw Failure.inUse(name: name, by: users) }
        try await destinations.remove(destination)
    }

    /// Changes a destination. Outputs that are connected to it go on as they are until their next attempt; all others follow at once.
    ///
    /// - Throws: `.inUse` where it would change between RTMP and SRT under a broadcast, which no running output can, or under a start that
    ///   has looked already whether its coding can go there.
    package func change(
        _ destination: DestinationID, name: String, endpoint: DestinationEndpoint, secret: Secret?, in scope: OrganizationScope
    ) async throws -> Destination {
        let destinations = parts.store.store.destinations(in: scope)
        let before = try await destinations.find(destination)
        let isOtherKind = before.endpoint.isRTMP != endpoint.isRTMP
        if isOtherKind { try withhold(destination, name: before.name, for: .kind) }
        defer { if isOtherKind { claims.giveBack(destination) } }
        if isOtherKind {
            let users = try await users(of: destination, in: scope)
            guard users.isEmpty else { throw Failure.inUse(name: before.name, by: users) }
        }
        if let place = endpoint.listenerPlace, place != before.endpoint.listenerPlace {
            try await admit(place, of: destination, in: scope.organization)
        }
        let changed = try await destinations.change(destination, name: name, endpoint: endpoint, secret: secret)
        let isElsewhere = before.endpoint != changed.endpoint || secret != nil
        for one in live.values where one.organization == scope.organization {
            one.post(
                .destinationChanged(
                    destination, name: changed.name, isElsewhere: isElsewhere, listener: changed.endpoint.listenerPlace),
                by: scope.author.user)
        }
        return changed
    }

    /// Tries a destination from a pool host as an output would, without media. A start meanwhile does not wait for it: its output comes again.
    ///
    /// - Throws: `.inUse` where a broadcast goes there, since a platform may throw that one out for it; `.untried`; `.refused` by the host.
    package func test(_ destination: DestinationID, in scope: OrganizationScope) async throws -> DestinationTestView {
        let destinations = parts.store.store.destinations(in: scope)
        let name = try await destinations.find(destination).name
        guard trials.insert(destination).inserted else { throw Failure.untried(reason: "it is just being tried") }
        defer { trials.remove(destination) }
        let users = try await users(of: destination, in: scope)
        guard users.isEmpty else { throw Failure.inUse(name: name, by: users) }
        let view = try await attempt(destination, in: scope.organization)
        try await destinations.noteTest(
            of: destination, view.steps.last.map { $0.passed ? "passed" : "failed: \($0.step.rawValue)" } ?? "passed")
        return view
    }

    private func attempt(_ destination: DestinationID, in organization: OrganizationID) async throws -> DestinationTestView {
        let target: OutputSpec.Target
        do {
            target = try await parts.outputs.place(destination, in: organization).target
        } catch Failure.unfit(_, let reason) {
            return DestinationTestView([.resolve], failed: (.resolve, reason.bounded()))
        }
        let steps = (target.testSteps == [.listen] ? [] : [.resolve]) + target.testSteps
        guard let host = await parts.hosts.emptiest else { throw Failure.untried(reason: "no pool host is there to try it from") }
        switch await parts.fleet.order(PoolOrder.testOutput(OutputTestOrder(target: target)), to: host) {
        case .outcome(let outcome) where outcome.result == .done: return DestinationTestView(steps)
        case .outcome(let outcome) where outcome.result == .failed:
            let failed = outcome.step.flatMap(OutputTestStep.init(rawValue:)) ?? .accept
            return DestinationTestView(steps, failed: (failed, outcome.reason?.bounded() ?? "the host does not say why"))
        case .outcome(let outcome):
            let isOld = outcome.reason?.contains("does not know") == true
            throw Failure.untried(
                reason: isOld ? "the pool host is too old for it: update it" : outcome.reason?.bounded() ?? "the host refused")
        case .unknown: throw Failure.untried(reason: "the pool host did not answer in time")
        }
    }

    /// Keeps a destination from starts and new outputs until `claims.giveBack`.
    ///
    /// - Throws: `.inUse`.
    private func withhold(_ destination: DestinationID, name: String, for change: DestinationClaims.Change) throws {
        guard claims.withhold(destination, for: change) else {
            throw Failure.inUse(name: name, by: ["a broadcast that is just being given it, or another change"])
        }
    }

    /// Has a broadcast given destinations, until `claims.release`.
    ///
    /// - Throws: `.noSuchDestination` for one that is being removed, `.isChanging`.
    func claim(_ destinations: [DestinationID]) throws {
        guard let (destination, change) = claims.claim(destinations) else { return }
        switch change {
        case .removal: throw Failure.noSuchDestination(destination)
        case .kind: throw Failure.isChanging(destination)
        }
    }

    /// Whether every broadcast with an output to a destination can have it listen there from now on.
    ///
    /// - Throws: `.held`.
    private func admit(_ place: ListenerPlace, of destination: DestinationID, in organization: OrganizationID) async throws {
        for one in live.values where one.organization == organization {
            let machine = await one.machine
            guard let host = machine.host, let output = machine.outputs.first(where: { $0.destination == destination }) else { continue }
            let held = await heldPorts(on: host)
            if let holder = held.holder(of: place, for: output.id, of: machine.id, in: organization) {
                throw Failure.held(field: "url", name: output.name, holder)
            }
        }
    }

    /// The broadcasts with an output to a destination, in words.
    private func users(of destination: DestinationID, in scope: OrganizationScope) async throws -> [String] {
        var users: [String] = []
        for one in live.values.sorted(by: { $0.id < $1.id }) where one.organization == scope.organization {
            guard await one.machine.outputs.contains(where: { $0.destination == destination }) else { continue }
            users.append("the broadcast \(one.id) of '\(try await parts.store.store.devices(in: scope).find(one.sender).name)'")
        }
        return users
    }
}

extension DestinationEndpoint {
    fileprivate var isRTMP: Bool { if case .rtmp = self { true } else { false } }

    /// The port of a receiver's host that an output to it asks for.
    var listenerPlace: ListenerPlace? {
        guard case .srt(let srt) = self, srt.mode == .listener else { return nil }
        return ListenerPlace(address: srt.host, port: srt.port)
    }
}
