import Auth
import HTTP
import Store
import Web
import Wire

/// The OpenAPI 3.1 document, made from the routes themselves.
enum OpenAPI {
    /// The route of the document itself.
    static func route(serving document: [UInt8]) -> Route {
        Route(
            method: .get, path: "/api/v1/openapi.json", access: .open, summary: "This document", success: .text("application/json"),
            run: { _ in Response(.ok, headers: ["Content-Type": "application/json", "Cache-Control": "no-cache"], body: .bytes(document)) })
    }

    /// - Parameter routes: of these, the page's own files are not described, and neither is what a browser asks for a page of another origin.
    static func document(of routes: [Route], version: String) -> String {
        let described = routes.filter { route in
            route.method != .options && ["/api/", "/whip/", "/whep/", "/health", "/metrics"].contains { route.path.hasPrefix($0) }
        }
        let paths = Dictionary(grouping: described, by: \.path)
        let pathTexts = paths.keys.sorted().map { path in
            let operations = (paths[path] ?? []).map { "\(quoted($0.method.text.lowercased())):\(operation($0))" }
            return "\(quoted(path)):{\(operations.joined(separator: ","))}"
        }
        let schemas = Schemas.all.keys.sorted().map { "\(quoted($0)):\(Schemas.named($0).document)" }
        return "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Strata control\",\"version\":\(quoted(version))},"
            + "\"paths\":{\(pathTexts.joined(separator: ","))},\"webhooks\":{\(EventKind.allCases.map(webhook).joined(separator: ","))},"
            + "\"components\":{\"schemas\":{\(schemas.joined(separator: ","))},"
            + "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"},"
            + "\"apiToken\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"strata_...\"}}}}"
    }

    private static func operation(_ route: Route) -> String {
        var members = ["\"operationId\":\(quoted(identifier(route)))", "\"summary\":\(quoted(route.summary))"]
        members.append("\"description\":\(quoted(caller(route.access)))")
        let inPath = route.path.split(separator: "/").filter { $0.first == "{" }.map { part in
            let name = String(part.dropFirst().dropLast())
            return parameter(.required(name, parameterSchema(name)), "path")
        }
        let parameters = inPath + route.query.map { parameter($0, "query") }
        if !parameters.isEmpty { members.append("\"parameters\":[\(parameters.joined(separator: ","))]") }
        if let body = route.body {
            members.append(
                "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/\(body)\"}}}}"
            )
        }
        if let types = route.file {
            members.append("\"requestBody\":{\"required\":true,\"content\":{\(content(types))}}")
        }
        members.append("\"security\":[\(proofs(route.access).joined(separator: ","))]")
        members.append("\"responses\":{\(responses(route).joined(separator: ","))}")
        return "{\(members.joined(separator: ","))}"
    }

    /// What lets a request in, any one of them; an API token has to have the scope that stands there.
    private static func proofs(_ access: Route.Access) -> [String] {
        switch access {
        case .open: []
        case .operator: ["{\"bearer\":[]}"]
        case .user(let action):
            ["{\"bearer\":[]}"] + Policy.scopes(for: action).map(\.rawValue).sorted().map { "{\"apiToken\":[\(quoted($0))]}" }
        }
    }

    private static func parameter(_ field: Schema.Field, _ place: String) -> String {
        "{\"name\":\(quoted(field.name)),\"in\":\"\(place)\",\"required\":\(field.isRequired),\"schema\":\(field.schema.document)}"
    }

    /// What is sent to an organisation's webhooks.
    private static func webhook(_ kind: EventKind) -> String {
        let headers = [
            ("webhook-id", "The event's id: the same at each attempt and in each replay."),
            ("webhook-timestamp", "Of this attempt, in Unix seconds."),
            ("webhook-signature", "v1, and a HMAC-SHA256 in base 64 of id.timestamp.body, by each secret: Standard Webhooks 1.0.0."),
        ].map { name, description in
            "{\"name\":\(quoted(name)),\"in\":\"header\",\"required\":true,\"description\":\(quoted(description)),"
                + "\"schema\":{\"type\":\"string\"}}"
        }
        return "\(quoted(kind.rawValue)):{\"post\":{\"parameters\":[\(headers.joined(separator: ","))],\"requestBody\":{\"required\":true,"
            + "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/\(Schemas.schema(of: kind))\"}}}},"
            + "\"responses\":{\"2XX\":{\"description\":\"It was taken\"}}}}"
    }

    /// Who may call it, for a person.
    private static func caller(_ access: Route.Access) -> String {
        switch access {
        case .open: "For anybody."
        case .operator: "For the operator, by the token in the state folder."
        case .user(let action):
            switch Policy.lowestRole(for: action) {
            case .member: "For every user of the organisation."
            case .owner: "For the organisation's owner."
            case let role: "For the role \(role.rawValue) and those above it."
            }
        }
    }

    static func parameterSchema(_ name: String) -> Schema {
        switch name {
        case "version": .integer(1...Int(Int32.max))
        case "name": Schemas.fileName
        case "token": Schemas.playerToken
        case "file": Schemas.playerFile
        case "release": Schemas.releaseFile
        case "object": Schemas.objectName
        default: Schemas.id
        }
    }

    private static func responses(_ route: Route) -> [String] {
        var result = [success(route.success)]
        var byStatus: [Int: [ProblemKind]] = [:]
        for kind in problems(of: route) { byStatus[kind.status.code, default: []].append(kind) }
        for status in byStatus.keys.sorted() {
            let titles = (byStatus[status] ?? []).map(\.title).joined(separator: "; ")
            result.append(
                "\"\(status)\":{\"description\":\(quoted(titles)),\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}"
            )
        }
        return result
    }

    /// What a route can end with: its own problems and those that come with its kind.
    static func problems(of route: Route) -> Set<ProblemKind> {
        var kinds = Set(route.problems)
        kinds.formUnion([.tooMany, .malformed, .methodNotAllowed])
        if route.body != nil || route.file != nil { kinds.formUnion([.invalid, .tooLarge, .unsupportedMedia, .timedOut, .fieldsTooLarge]) }
        if !route.query.isEmpty { kinds.insert(.invalid) }
        if route.access != .open { kinds.formUnion([.unauthorized, .forbidden]) }
        if case .socket = route.success { kinds.insert(.upgradeNeeded) }
        if route.path.contains("{") { kinds.insert(.notFound) }
        return kinds
    }

    private static func success(_ success: Route.Success) -> String {
        switch success {
        case .empty: "\"204\":{\"description\":\"Done\"}"
        case .one(let name, let status): answer(status.code, "{\"$ref\":\"#/components/schemas/\(name)\"}")
        case .page(let name): answer(200, Schemas.page(of: name).document)
        case .socket: "\"101\":{\"description\":\"The WebSocket\"}"
        case .text(let type): "\"200\":{\"description\":\"Done\",\"content\":{\(content([type]))}}"
        case .file(let types, let status): "\"\(status.code)\":{\"description\":\"Done\",\"content\":{\(content(types))}}"
        case .fileOrNothing(let types):
            "\"200\":{\"description\":\"Done\",\"content\":{\(content(types))}},\"204\":{\"description\":\"Done\"}"
        case .done: "\"200\":{\"description\":\"Done\"}"
        }
    }

    private static func content(_ types: [String]) -> String { types.map { "\(quoted($0)):{}" }.joined(separator: ",") }

    private static func answer(_ status: Int, _ schema: String) -> String {
        "\"\(status)\":{\"description\":\"Done\",\"content\":{\"application/json\":{\"schema\":\(schema)}}}"
    }

    /// `get /api/v1/senders/{id}` is `getSendersById`.
    private static func identifier(_ route: Route) -> String {
        let parts = route.path.split(separator: "/").filter { $0 != "api" && $0 != "v1" }
        let words = parts.flatMap { part -> [String] in
            part.first == "{" ? ["By" + capital(part.dropFirst().dropLast())] : part.split(separator: "-").map(capital)
        }
        return route.method.text.lowercased() + words.joined()
    }

    private static func capital(_ word: Substring) -> String { word.prefix(1).uppercased() + word.dropFirst() }

    private static func quoted(_ text: String) -> String { Schema.quoted(text) }
}
