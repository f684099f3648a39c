// How senders look to people, and their configurations.
package import Configuration
import Logging
package import Store
package import Units
package import Wire

extension Roster {
    /// What people see of a sender.
    package func view(of device: Device, in scope: OrganizationScope) async throws -> SenderView {
        let hello = hello(of: device.id)
        let applied = hello?.configuration.version ?? device.appliedConfiguration
        let wanted = try await store.configurations(in: scope).newest(of: device.id)?.version ?? 0
        return SenderView(
            id: device.id, name: device.name, online: hello != nil, lastSeenAt: device.lastSeenAt?.text,
            agentVersion: hello?.agentVersion ?? device.softwareVersion,
            flaggedAt: device.flaggedAt?.text, inventory: hello?.inventory ?? device.inventory ?? Inventory(),
            configuration: SenderView.ConfigurationState(
                wanted: wanted, applied: applied, reason: configurationFault(of: device.id)),
            defaults: try await defaults(applied, of: device.id, in: scope),
            location: try await location(wanted, of: device.id, in: scope), speedTests: speed.results(of: device.id))
    }

    /// The owner's words wait for no board: they hold as soon as they are saved.
    private func location(_ version: Int, of sender: DeviceID, in scope: OrganizationScope) async throws -> SenderView.Location? {
        let position = position(of: sender)
        do {
            let text = try await store.configuration(version, of: sender, in: scope).location
            return text == nil && position == nil ? nil : SenderView.Location(text: text, position: position)
        } catch is ConfigurationFaults {
            return position.map { SenderView.Location(text: nil, position: $0) }
        }
    }

    /// What a version of a sender's configuration begins a broadcast with.
    private func defaults(_ version: Int, of sender: DeviceID, in scope: OrganizationScope) async throws -> SenderView.Defaults? {
        do {
            let configuration = try await store.configuration(version, of: sender, in: scope)
            return SenderView.Defaults(input: configuration.input, encoder: configuration.encoder)
        } catch is ConfigurationFaults {
            // A start says what is wrong with it.
            return nil
        }
    }

    /// Stores a new version and gives it to the sender: applied, refused by it, or waiting until it connects.
    package func configure(_ sender: DeviceID, _ toml: String, in scope: OrganizationScope) async throws -> ConfigurationAnswer {
        let saved = try await store.configurations(in: scope).save(toml, for: sender)
        let answer = await give(saved, to: sender)
        await publish(sender: sender, in: scope.organization)
        return answer
    }

    /// A sender that comes back with an older version gets the newest.
    func bringConfiguration(to connection: Connection, applied: Int) async {
        guard let organization = connection.organization else { return }
        do {
            guard let newest = try await store.configurations(in: connection.scope(organization)).newest(of: connection.device),
                newest.version > applied
            else { return }
            _ = await give(newest, to: connection.device)
            await publish(sender: connection.device, in: organization)
        } catch {
            log.error("a configuration could not be read", ["device": "\(connection.device)", "error": "\(error)"])
        }
    }

    private func give(_ configuration: Store.SenderConfiguration, to sender: DeviceID) async -> ConfigurationAnswer {
        let document = ConfigurationDocument(version: configuration.version, toml: configuration.toml)
        switch await order(AgentOrder.configure(document), to: sender) {
        case .outcome(let outcome) where outcome.result == .done:
            setConfigurationFault(nil, of: sender)
            return ConfigurationAnswer(version: configuration.version, result: .applied, reason: nil)
        case .outcome(let outcome):
            let reason = told(outcome.reason, by: sender)
            setConfigurationFault(reason, of: sender)
            return ConfigurationAnswer(version: configuration.version, result: .refused, reason: reason)
        case .unknown:
            // What was refused was another version.
            setConfigurationFault(nil, of: sender)
            return ConfigurationAnswer(version: configuration.version, result: .pending, reason: nil)
        }
    }

    /// What a person can do about a refusal. Control knows every key of what it saves: an agent that does not is older.
    private func told(_ reason: String?, by sender: DeviceID) -> String? {
        let keys = reason.map(ConfigurationFault.unknownKeys) ?? []
        guard !keys.isEmpty else { return reason }
        let version = hello(of: sender).map { " (version \($0.agentVersion))" } ?? ""
        return "its agent\(version) does not know \(keys.listed(by: ", ", within: 700)): update the agent, or leave that out; "
            + "until then the configuration before stays in force"
    }

    func applied(_ version: Int, _ connection: Connection) async {
        guard let organization = connection.organization else { return }
        setConfigurationFault(nil, of: connection.device)
        do {
            try await store.configurations(in: connection.scope(organization)).applied(version, by: connection.device)
        } catch {
            log.error("the version in force could not be stored", ["device": "\(connection.device)", "error": "\(error)"])
        }
        await publish(sender: connection.device, in: organization)
    }
}

extension ControlStore {
    /// What a sender is configured to be by the version it runs; the standard where it runs none that is known here: a board may name any.
    ///
    /// - Throws: `ConfigurationFaults` where it cannot be read any more: it was good when another version of control saved it.
    package func configuration(
        _ version: Int, of sender: DeviceID, in scope: OrganizationScope
    ) async throws -> Configuration.SenderConfiguration {
        guard version > 0 else { return .standard }
        do {
            return try .parse(try await configurations(in: scope).version(version, of: sender).toml)
        } catch StoreError.missing {
            return .standard
        }
    }
}
