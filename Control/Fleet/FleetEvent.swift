package import Units
package import Wire

/// What the devices did, in the order in which control saw it.
package enum FleetEvent: Sendable {
    case senderConnected(DeviceID, AgentHello)
    case senderDisconnected(DeviceID)
    case sender(DeviceID, AgentMessage)
    /// Telemetry of a sender that sends: each sample in which none of its links has an answer, and the first after it in which one has.
    case senderSampled(DeviceID, isAnswered: Bool)
    /// What is wrong with picture and sound of a sender that sends, as it has changed.
    case senderAlarmed(DeviceID, [MediaAlarm])
    case hostConnected(DeviceID, PoolHello)
    case hostDisconnected(DeviceID)
    case host(DeviceID, PoolMessage)
    case revoked(DeviceID)
}

/// What became of an order.
package enum Answer: Sendable {
    case outcome(CommandOutcome)
    /// No answer within the time, or no connection: nobody knows whether it was carried out.
    case unknown
}

/// What a host has recorded, as it says.
package struct HostRecordings: Sendable {
    package let host: DeviceID
    package let list: RecordingList
}
