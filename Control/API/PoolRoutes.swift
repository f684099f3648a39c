import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// The pool's hosts, as organisations see them and as those who look after it do.
struct PoolRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/pool", access: .user(.viewDiagnostics),
                summary: "List the pool's hosts, with the organisation's own streams on each", success: .page("Host"),
                run: { call in .list(try await parts.hosts(for: viewer(call))) }),
            Route(
                method: .patch, path: "/api/v1/pool/{id}", access: .user(.managePool),
                summary: "Have a pool host take no new streams, or again; in the organisation that the server was set up with",
                body: "ChangeHostRequest", success: .one("Host"), run: change),
            Route(
                method: .get, path: "/api/v1/operator/pool", access: .operator, summary: "List the pool's hosts, with all streams on each",
                success: .page("Host"), run: { _ in .list(try await parts.hosts(for: .operator)) }),
            Route(
                method: .patch, path: "/api/v1/operator/pool/{id}", access: .operator,
                summary: "Have a pool host take no new streams, or again", body: "ChangeHostRequest", success: .one("Host"),
                run: { call in try await drain(call, by: nil, .operator) }),
            Route(
                method: .delete, path: "/api/v1/operator/pool/{id}", access: .operator, summary: "Revoke a pool host", success: .empty,
                run: { call in
                    try await parts.store.pools.revoke(call.id())
                    await parts.fleet.revoke(try call.id())
                    return .empty
                }),
        ]
    }

    private func viewer(_ call: Call) async throws -> PoolViewer {
        let principal = try call.caller()
        return .organization(principal.user.organization, isKeeper: try await parts.keepsPool(principal))
    }

    /// A host is nobody's whose organisation does not run the server: to them there is none of that id.
    @Sendable private func change(_ call: Call) async throws -> Response {
        guard try await parts.keepsPool(call.caller()) else { throw StoreError.missing("pool host") }
        return try await drain(call, by: try call.scope(), try await viewer(call))
    }

    private func drain(_ call: Call, by scope: OrganizationScope?, _ viewer: PoolViewer) async throws -> Response {
        let (id, request): (DeviceID, ChangeHostRequest) = (try call.id(), try call.body())
        try await parts.store.pools.setDraining(request.draining, id, by: scope)
        await parts.fleet.setDraining(request.draining, id)
        return .value(await parts.host(try await parts.store.pools.find(id), for: viewer))
    }
}

/// Who looks at the pool.
enum PoolViewer: Sendable, Hashable {
    case `operator`
    /// - isKeeper: whether it looks after the pool.
    case organization(OrganizationID, isKeeper: Bool)
}

extension Gateway.Parts {
    /// Whether somebody may look after the pool: an admin of the organisation that the server was set up with. The pool is everybody's, and
    /// no other organisation's admins have a say in it.
    func keepsPool(_ principal: Principal) async throws -> Bool {
        guard principal.may(.managePool) else { return false }
        return try await store.organizations.isHouse(principal.user.organization)
    }

    func hosts(for viewer: PoolViewer) async throws -> [HostView] {
        var views: [HostView] = []
        for device in try await store.pools.all() where !device.isRevoked { views.append(await host(device, for: viewer)) }
        return views
    }

    /// What others have on a host is nobody else's business but the operator's (THREATS 14).
    func host(_ device: Device, for viewer: PoolViewer) async -> HostView {
        let offer = await fleet.offer(of: device.id)
        let known = offer ?? device.pool
        let capacity = known?.capacity ?? 0
        let (all, load) = (await broadcasts.streams(on: device.id), await fleet.loads[device.id])
        let own: Int
        var isKeeper = true
        switch viewer {
        case .operator: own = all
        case .organization(let organization, let keeps):
            own = await broadcasts.streams(on: device.id, of: organization)
            isKeeper = keeps
        }
        return HostView(
            id: device.id, name: device.name, online: offer != nil, lastSeenAt: device.lastSeenAt?.text, version: known?.poolVersion,
            addresses: known?.addresses ?? [], portRange: known?.portRange,
            hasRoom: offer != nil && !device.isDraining && all < capacity, draining: device.isDraining, streams: own,
            allStreams: isKeeper ? all : nil, capacity: isKeeper ? capacity : nil,
            cpuPercent: isKeeper ? load : nil)
    }
}
