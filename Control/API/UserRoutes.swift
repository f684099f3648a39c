import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// The organisation and its people.
struct UserRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization", access: .user(.viewOrganization), summary: "One's organisation",
                success: .one("Organization"), run: organization),
            Route(
                method: .get, path: "/api/v1/organization/usage", access: .user(.changeOrganization),
                summary: "How much of what it may have the organisation has", success: .page("Share"),
                run: { call in .list(try await parts.store.shares(in: call.scope()).map(ShareView.init)) }),
            Route(
                method: .put, path: "/api/v1/organization/owner", access: .user(.transferOwnership),
                summary: "Make another active user the owner, by one's password; whoever was it becomes an admin", body: "TransferRequest",
                success: .one("User"), problems: [.notFound, .busy], run: transfer),
            Route(
                method: .get, path: "/api/v1/users", access: .user(.viewUsers), summary: "List the organisation's users",
                success: .page("User"), run: list),
            Route(
                method: .post, path: "/api/v1/users", access: .user(.setPasswords), summary: "Add a user of a lower role",
                body: "CreateUserRequest", success: .one("User", .created), problems: [.conflict, .quota, .busy], run: create),
            Route(
                method: .patch, path: "/api/v1/users/{id}", access: .user(.manageUsers),
                summary: "Change a user's name or role, shut them out or let them in again", body: "ChangeUserRequest",
                success: .one("User"), problems: [.conflict, .quota], run: change),
            Route(
                method: .delete, path: "/api/v1/users/{id}", access: .user(.manageUsers),
                summary: "Remove a user of a lower role for good; the audit log keeps the name, and the address may be invited again",
                success: .empty, problems: [.conflict],
                run: { call in
                    try await parts.gate.remove(call.id(), by: call.caller(), from: call.origin)
                    return .empty
                }),
            Route(
                method: .get, path: "/api/v1/audit", access: .user(.viewAudit), summary: "The last 100 entries of the audit log",
                success: .page("AuditEntry"), run: audit),
        ]
    }

    @Sendable private func organization(_ call: Call) async throws -> Response {
        var view = try await parts.view(of: call.caller().user).organization
        view.slate = try await parts.store.slates(in: call.scope()).find().map(SlateView.init)
        view.locale = try await parts.store.settings(in: call.scope()).find().locale
        view.branding = try await parts.branding(of: view.id)
        return .value(view)
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        var views: [UserView] = []
        for user in try await parts.store.users(in: call.scope()).all() { views.append(try await parts.view(of: user)) }
        return .list(views)
    }

    @Sendable private func audit(_ call: Call) async throws -> Response {
        let entries = try await parts.store.audit(in: call.scope()).entries()
        let ids = entries.flatMap { [$0.author, $0.subject].compactMap(\.self) }
        let names = try await parts.store.users(in: call.scope()).names(of: Set(ids))
        return .list(
            entries.map { entry in
                var view = AuditView(entry)
                view.authorName = entry.author.flatMap { names[$0] }
                view.subjectName = entry.subject.flatMap { names[$0] }
                return view
            })
    }

    @Sendable private func transfer(_ call: Call) async throws -> Response {
        let request = try call.body(TransferRequest.self)
        let caller = try call.caller()
        try await parts.gate.transferOwnership(
            to: request.user, password: request.password.secret, by: caller, from: call.origin)
        return .value(try await parts.view(of: parts.store.users(in: call.scope()).find(request.user)))
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(CreateUserRequest.self)
        let user = try await parts.gate.createUser(
            email: request.email, displayName: request.displayName, role: request.role, password: request.password.secret,
            by: call.caller(), from: call.origin)
        return .value(try await parts.view(of: user), .created)
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeUserRequest.self)
        let id: UserID = try call.id()
        let caller = try call.caller()
        let user = try await parts.gate.change(
            id, role: request.role, displayName: request.displayName, active: request.active, by: caller, from: call.origin)
        return .value(try await parts.view(of: user))
    }
}

struct ShareView: Codable, Sendable {
    /// The key of the quota in control's configuration.
    var name: String
    /// Of storage in bytes.
    var used: Int
    var limit: Int

    init(_ share: Share) {
        name = share.quota.rawValue
        used = share.used
        limit = share.limit
    }
}

/// An entry of the audit log as people see it.
struct AuditView: Codable, Sendable {
    var id: String
    var at: String
    var author: String?
    /// Of a user, who may have been removed since.
    var authorName: String?
    /// The API token by which the author's program did it.
    var token: String?
    var authorKind: String
    var action: String
    var subject: String?
    /// Of a user, as the author's.
    var subjectName: String?
    var detail: String?

    init(_ entry: AuditEntry) {
        id = entry.id.text
        at = entry.at.text
        author = entry.author
        token = entry.token?.text
        authorKind = entry.authorKind
        action = entry.action.rawValue
        subject = entry.subject
        detail = entry.detail
    }
}
