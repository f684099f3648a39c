import Auth
import FoundationEssentials
import HTTP
import Fleet
import Store
import Units
import Web
import Wire

/// A request on its way through a route.
struct Call: Sendable {
    let request: Request
    /// The values of the path's placeholders, checked.
    let parameters: [String: String]
    /// Who calls; nil on open and operator's routes.
    let principal: Principal?
    /// The body, checked against the route's schema.
    let bytes: [UInt8]

    /// The body as its type; the schema has been checked, so what fails here is a gap between the two.
    func body<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
        do {
            return try JSONDecoder().decode(Body.self, from: Data(bytes))
        } catch {
            throw Problem(.invalid, "the body does not have the expected fields")
        }
    }

    func id<Kind>(_ name: String = "id") throws -> ID<Kind> {
        guard let id = parameters[name].flatMap({ ID<Kind>($0) }) else { throw Problem(.notFound) }
        return id
    }

    /// What stands behind the `?`, checked against the route's schema.
    func query(_ name: String) -> String? { request.head.query(name) }

    /// What the caller may reach: the rows of the caller's own organisation.
    func scope() throws -> OrganizationScope { try caller().scope(from: request.remote.host) }

    var origin: Origin { Self.origin(of: request) }

    static func origin(of request: Request) -> Origin {
        Origin(address: request.remote.host, userAgent: request.headers["user-agent"]?.bounded(to: 200))
    }

    func caller() throws -> Principal {
        guard let principal else { throw Problem(.unauthorized) }
        return principal
    }
}

extension Response {
    /// A value as JSON, which no cache keeps.
    static func value(_ value: some Encodable, _ status: Status = .ok) -> Response {
        var response = Response.json(Array(Feed.json(value).utf8), status: status)
        response.headers.add("Cache-Control", "no-store")
        return response
    }

    /// A value that holds a secret: never compressed, because the texts beside it are other people's (THREATS 20).
    static func secret(_ value: some Encodable, _ status: Status = .ok) -> Response {
        var response = Response.value(value, status)
        response.isSecret = true
        return response
    }

    static func list<Item: Codable & Sendable>(_ items: [Item]) -> Response { value(ListView(items: items)) }

    static let empty = Response(.noContent)
}
