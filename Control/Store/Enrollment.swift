import Crypto
import SQLite
package import Units
package import Wire

/// A permission for one device to enroll: the secret itself is shown once and stored as its hash only.
package struct StoredToken: Sendable, Hashable, Encodable {
    package let id: EnrollmentTokenID
    package let organization: OrganizationID?
    package let kind: DeviceKind
    /// For people: which board it is meant for.
    package let label: String
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    package let withdrawnAt: Timestamp?
    package let redeemedAt: Timestamp?
    /// The device it made.
    package let device: DeviceID?
    /// The first configuration of that device, TOML.
    let configuration: String?
    /// The device that gets a new key by it, in place of a new device.
    package let renewed: DeviceID?

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        let kind: String = try row["kind"]
        self.kind = kind == DeviceKind.pool.rawValue ? .pool : .sender
        label = try row["label"]
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
        withdrawnAt = try row["withdrawn_at"]
        redeemedAt = try row["redeemed_at"]
        device = try row["device"]
        configuration = try row["configuration"]
        renewed = try row["renews"]
    }
}

extension StoredToken: OrganizationRow {
    static var table: OrganizationTable { .enrollmentTokens }
}

/// An organisation's enrollment tokens, for senders.
package struct EnrollmentTokens: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// - Parameters:
    ///   - secret: at least 128 random bits as text.
    ///   - configuration: that the device has from its first connection on; whether it is a valid one is the caller's to check.
    ///   - renewed: one of the organisation's senders, whose key the token replaces.
    package func create(
        _ secret: Secret, label: String, lifetime: Duration, configuration: String? = nil, renewing renewed: DeviceID? = nil
    ) async throws -> StoredToken {
        let label = try checked(label, "enrollment.label", upTo: 100)
        guard configuration?.utf8.count ?? 0 <= Configurations.maximumBytes else {
            throw StoreError.invalid(field: "configuration", expected: "at most \(Configurations.maximumBytes) bytes")
        }
        return try await store.write(.durable) { transaction in
            if let renewed {
                _ = try transaction.row(Device.self, in: scope, where: "id = \(renewed) AND revoked_at IS NULL", or: "sender")
            }
            try transaction.admit(
                .enrollmentTokens, of: .enrollmentTokens,
                where: "redeemed_at IS NULL AND withdrawn_at IS NULL AND expires_at > \(transaction.now)", by: store.quotas, in: scope)
            let id: EnrollmentTokenID = transaction.newID()
            try transaction.insert(
                into: .enrollmentTokens, in: scope,
                [
                    "id": id, "kind": DeviceKind.sender.rawValue, "hash": SHA256.hash(secret.revealed), "label": label,
                    "created_at": transaction.now, "expires_at": transaction.now + lifetime, "configuration": configuration,
                    "renews": renewed,
                ])
            try transaction.note(.enrollmentTokenCreated, id.text, detail: label, in: scope)
            return try transaction.row(StoredToken.self, in: scope, where: "id = \(id)", or: "enrollment token")
        }
    }

    package func all() async throws -> [StoredToken] {
        try await store.read { try $0.rows(StoredToken.self, in: scope, order: "id DESC") }
    }

    /// Withdraws a token that was not redeemed.
    package func withdraw(_ id: EnrollmentTokenID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .enrollmentTokens, in: scope, set: ["withdrawn_at": transaction.now],
                where: "id = \(id) AND redeemed_at IS NULL AND withdrawn_at IS NULL", or: "open enrollment token")
            try transaction.note(.enrollmentTokenWithdrawn, id.text, in: scope)
        }
    }
}

extension Pools {
    /// A token that enrolls one pool host.
    package func createToken(_ secret: Secret, label: String, lifetime: Duration) async throws -> StoredToken {
        let label = try checked(label, "enrollment.label", upTo: 100)
        let hash = SHA256.hash(secret.revealed)
        return try await store.write(.durable) { transaction in
            let id: EnrollmentTokenID = transaction.newID()
            let pools = transaction.across(.pool)
            try pools.run(
                """
                INSERT INTO enrollment_tokens (id, kind, hash, label, created_at, expires_at)
                VALUES (\(id), 'pool', \(hash), \(label), \(transaction.now), \(transaction.now + lifetime))
                """)
            try transaction.noteOfOperator(.enrollmentTokenCreated, id.text, detail: label)
            let made = try pools.first("SELECT * FROM enrollment_tokens WHERE id = \(id)", StoredToken.init)
            guard let made else { throw StoreError.missing("enrollment token") }
            return made
        }
    }
}

extension Identities {
    /// Redeems a token for an identity, once (THREATS 2).
    ///
    /// The same public key gets the same device again, until that device's first authenticated connection, so that a lost
    /// answer does not cost a token; another key is refused.
    ///
    /// - Parameters:
    ///   - publicKey: raw Ed25519, 32 bytes.
    ///   - name: by which the board calls itself: hostile, cut to 100 characters; the token's label where it is empty.
    /// - Throws: `.tokenRefused`, `.tokenUsed`, `.enrolled`, `.keyRevoked`, `.taken("public key")`, `.quota`, `.invalid` for a key of another length.
    package func redeem(_ secret: Secret, publicKey: [UInt8], name: String, kind: DeviceKind) async throws -> Device {
        guard publicKey.count == 32 else { throw StoreError.invalid(field: "public_key", expected: "32 bytes") }
        let hash = SHA256.hash(secret.revealed)
        return try await store.write(.durable) { transaction in
            let crossing = transaction.across(.identification)
            let found = try crossing.first("SELECT * FROM enrollment_tokens WHERE hash = \(hash)", StoredToken.init)
            guard let token = found, token.kind == kind, token.withdrawnAt == nil else { throw StoreError.tokenRefused }
            guard token.device != nil || transaction.now < token.expiresAt else { throw StoreError.tokenRefused }
            let holder = try crossing.first("SELECT * FROM devices WHERE public_key = \(publicKey)", Device.init)
            if let holder { return try token.redeemedAgain(by: holder) }
            guard token.device == nil else { throw StoreError.tokenUsed }
            if let renewed = token.renewed, let organization = token.organization {
                return try transaction.renew(renewed, publicKey, with: token, in: organization)
            }
            if let organization = token.organization {
                try transaction.admit(
                    .senders, of: .devices, where: "revoked_at IS NULL", by: store.quotas,
                    in: OrganizationScope(organization, by: .system))
            }
            let name = clipped(name, to: 100).isEmpty ? token.label : clipped(name, to: 100)
            let device = try transaction.enroll(publicKey, name: name, with: token)
            try crossing.run("UPDATE enrollment_tokens SET redeemed_at = \(transaction.now), device = \(device.id) WHERE id = \(token.id)")
            if let toml = token.configuration, let organization = token.organization {
                try transaction.insert(
                    into: .configurations, in: OrganizationScope(organization, by: .device(device.id)),
                    ["sender": device.id, "version": 1, "toml": toml, "created_at": transaction.now])
            }
            return device
        }
    }
}

extension ControlStore {
    package func enrollmentTokens(in scope: OrganizationScope) -> EnrollmentTokens { EnrollmentTokens(store: self, scope: scope) }
}

extension StoredToken {
    /// What the device that has the key already gets.
    ///
    /// A key that is to be replaced, and one that its organisation has given up, are over: the board makes another one.
    fileprivate func redeemedAgain(by holder: Device) throws(StoreError) -> Device {
        if device == nil, holder.kind == kind, holder.id == renewed || (holder.isRevoked && holder.organization != organization) {
            throw .keyRevoked
        }
        guard holder.organization == organization, holder.kind == kind else { throw .taken("public key") }
        guard !holder.isRevoked else { throw .keyRevoked }
        guard holder.id == device, holder.firstConnectedAt == nil else { throw .enrolled }
        return holder
    }
}

extension Transaction {
    /// Gives a device another key. What is known of the device stays; that it was seen in two places is over.
    fileprivate func renew(
        _ device: DeviceID, _ publicKey: [UInt8], with token: StoredToken, in organization: OrganizationID
    ) throws -> Device {
        let scope = OrganizationScope(organization, by: .device(device))
        let isThere = "id = \(device) AND revoked_at IS NULL" as SQL
        let none: Timestamp? = nil
        let nothing = 0
        try naming("public key") {
            // It has forgotten its configuration with its key, and its first connection is yet to come.
            try updateOne(
                .devices, in: scope,
                set: [
                    "public_key": publicKey, "flagged_at": none, "first_connected_at": none, "applied_configuration": nothing,
                ], where: isThere, or: "sender")
        }
        try across(.identification).run("UPDATE enrollment_tokens SET redeemed_at = \(now), device = \(device) WHERE id = \(token.id)")
        try note(.deviceRenewed, device.text, detail: token.label, in: scope)
        return try row(Device.self, in: scope, where: isThere, or: "sender")
    }

    fileprivate func enroll(_ publicKey: [UInt8], name: String, with token: StoredToken) throws -> Device {
        let id: DeviceID = newID()
        try naming("public key") {
            try across(.identification).run(
                """
                INSERT INTO devices (id, organization, kind, name, public_key, created_at)
                VALUES (\(id), \(token.organization), \(token.kind.rawValue), \(name), \(publicKey), \(now))
                """)
        }
        if let organization = token.organization {
            try note(.deviceEnrolled, id.text, detail: name, in: OrganizationScope(organization, by: .device(id)))
        } else {
            try noteOfOperator(.deviceEnrolled, id.text, detail: name)
        }
        let made = try across(.identification).first("SELECT * FROM devices WHERE id = \(id)", Device.init)
        guard let made else { throw StoreError.missing("device") }
        return made
    }
}
