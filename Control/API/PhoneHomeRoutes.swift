import Auth
import Crypto
import Fleet
import HTTP
import Reporting
import Rooms
import Store
import Units
import Web
import Wire

/// Who is told how the server is, for whoever owns it (DIA-13). Nobody is, until the owner names an address.
struct PhoneHomeRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    private static let path = "/api/v1/diagnostics/phone-home"

    var routes: [Route] {
        [
            Route(
                method: .get, path: Self.path, access: .user(.manageReports),
                summary: "Who is told how the server is, and the last 100 times; in the organisation that the server was set up with",
                success: .one("PhoneHome"), problems: [.notFound],
                run: { call in
                    try await parts.demandHouse(call)
                    return try await shown()
                }),
            Route(
                method: .put, path: Self.path, access: .user(.manageReports),
                summary:
                    "Have another address told with each health check, or nobody from now on; in the organisation that the server was set up with",
                body: "PhoneHomeRequest", success: .one("PhoneHome"), problems: [.notFound], run: change),
            Route(
                method: .post, path: Self.path, access: .user(.manageReports),
                summary: "Tell it now; in the organisation that the server was set up with", success: .one("HomeCall", .created),
                problems: [.notFound, .conflict], run: tell),
        ]
    }

    /// `PUT`: an empty one tells nobody.
    private struct PhoneHomeRequest: Decodable {
        let url: String
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        try await parts.demandHouse(call)
        let text = try call.body(PhoneHomeRequest.self).url
        var url: URLParts?
        do {
            if !text.isEmpty { url = try URLParts(text, schemes: [.https, .http]) }
        } catch {
            throw Problem(
                .invalid, faults: [.init(field: "url", expected: "an address such as https://example.org/strata, or nothing: \(error)")])
        }
        try await parts.store.phoneHome.change(
            to: url.map { Secret($0.description) }, shown: url.map { "to \($0.authority)" } ?? "to nobody", in: call.scope())
        return try await shown()
    }

    @Sendable private func tell(_ call: Call) async throws -> Response {
        try await parts.demandHouse(call)
        guard try await parts.store.phoneHome.find() != nil else { throw Problem(.conflict, "no address is named: nobody is told") }
        try parts.healthChecks.take(try call.scope().organization.text, at: parts.store.now)
        guard let made = try await parts.phoneHome(.manual, try await parts.checkHealth(.manual)) else {
            throw Problem(.conflict, "no address is named any more: nobody is told")
        }
        return .value(HomeCallView(made), .created)
    }

    private func shown() async throws -> Response {
        let url = try await parts.store.phoneHome.find()
        // try?: what is stored was checked.
        let place = url.flatMap { try? URLParts($0.revealed, schemes: [.https, .http]) }?.authority
        return .value(PhoneHomeView(place: place, calls: try await parts.store.phoneHome.calls().map(HomeCallView.init)))
    }
}

extension Gateway.Parts {
    /// To other organisations' owners there is no such thing: it is the whole server's.
    func demandHouse(_ call: Call) async throws {
        guard try await store.organizations.isHouse(call.caller().user.organization) else { throw StoreError.missing("setting") }
    }

    /// Tells whoever is to be told how the server is, and writes down what they were told.
    ///
    /// - Returns: nil where nobody is.
    func phoneHome(_ occasion: HomeCall.Occasion, _ snapshot: HealthSnapshot) async throws -> HomeCall? {
        guard try await store.phoneHome.find() != nil, let house = try await store.organizations.house() else { return nil }
        let counts = try await store.phoneHome.counts()
        let salt = try await store.operations.key("phone home salt")
        let (connected, participants) = (await fleet.counts, await sessions.everybody())
        let body = Feed.json(
            HomeReport(
                installation: Hex.encode(SHA256.hash(salt + Array(house.text.utf8))), version: settings.version,
                at: snapshot.at.text, occasion: occasion.rawValue, status: snapshot.status,
                probes: try HealthSnapshotView(snapshot).probes.map { .init(name: $0.name, status: $0.status, latencyMs: $0.latencyMs) },
                counts: .init(
                    organizations: counts.organizations, senders: counts.senders, sendersOnline: connected.senders,
                    hostsOnline: connected.hosts, broadcasts: counts.broadcasts, meetings: counts.meetings,
                    participants: participants)))
        // Read last: whoever was switched off a moment ago is told nothing.
        guard let url = try await store.phoneHome.find() else { return nil }
        let place = try URLParts(url.revealed, schemes: [.https, .http])
        let (status, fault) = try await home.tell(body, to: place)
        return try await store.phoneHome.add(occasion, to: place.authority, body: body, status: status, fault: fault)
    }
}

/// All that leaves: figures and versions, nothing that names anybody or says what they do. What a probe complains of stays, since paths and hosts
/// stand in it.
private struct HomeReport: Encodable {
    struct Probe: Encodable {
        let name: String
        let status: Health.Status
        let latencyMs: Double
    }

    struct Counts: Encodable {
        let organizations, senders, sendersOnline, hostsOnline, broadcasts, meetings, participants: Int
    }

    /// The house's id with a salt of this installation: the same each time, and nobody's elsewhere.
    let installation: String
    let version, at, occasion, status: String
    let probes: [Probe]
    let counts: Counts
}

struct PhoneHomeView: Codable, Sendable {
    /// Without the path, in which a key may stand; nil where nobody is told.
    var place: String?
    var calls: [HomeCallView]
}

struct HomeCallView: Codable, Sendable {
    var id: String
    var at: String
    var occasion: String
    var place: String
    var body: String
    var status: Int?
    var fault: String?

    init(_ call: HomeCall) {
        id = call.id.text
        at = call.at.text
        occasion = call.occasion.rawValue
        place = call.place
        body = call.body
        status = call.status
        fault = call.fault
    }
}
