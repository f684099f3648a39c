"""A stand-in for ModemManager with modems, in place of hardware: a python-dbusmock template.

    /usr/bin/python3 -m dbusmock --system --template modemmanager.py

Every property and method is declared as in ModemManager's own introspection (package modemmanager-dev): one that is not there is
refused, and values get the types that stand there. Tests drive it by `Run`, which executes Python with the functions below.
"""
import glob
import xml.etree.ElementTree

import dbus
from dbusmock import MOCK_IFACE, mockobject
from dbusmock.mockobject import DBusMockObject, objects

BUS_NAME = "org.freedesktop.ModemManager1"
MAIN_OBJ = "/org/freedesktop/ModemManager1"
MAIN_IFACE = BUS_NAME
SYSTEM_BUS = True
IS_OBJECT_MANAGER = True

MODEM = BUS_NAME + ".Modem"
GPP = MODEM + ".Modem3gpp"
SIGNAL = MODEM + ".Signal"
LOCATION = MODEM + ".Location"
SIMPLE = MODEM + ".Simple"
SIM = BUS_NAME + ".Sim"
BEARER = BUS_NAME + ".Bearer"
OBJECTS = mockobject.OBJECT_MANAGER_IFACE

BASIC = {"u": dbus.UInt32, "i": dbus.Int32, "s": dbus.String, "b": dbus.Boolean, "d": dbus.Double, "o": dbus.ObjectPath, "y": dbus.Byte,
         "v": lambda value: value}


def typed(signature, value):
    """`value` as the type of `signature`."""
    if signature in BASIC:
        return BASIC[signature](value)
    if signature.startswith("a{"):
        return dbus.Dictionary({typed(signature[2], k): typed(signature[3:-1], v) for k, v in value.items()}, signature=signature[2:-1])
    if signature.startswith("a"):
        return dbus.Array([typed(signature[1:], item) for item in value], signature=signature[1:])
    assert signature[0] == "(" and all(letter in BASIC for letter in signature[1:-1]), signature
    return dbus.Struct([typed(letter, item) for letter, item in zip(signature[1:-1], value)], signature=signature[1:-1])


def introspection():
    interfaces = {}
    for path in glob.glob("/usr/share/dbus-1/interfaces/org.freedesktop.ModemManager1*.xml"):
        for interface in xml.etree.ElementTree.parse(path).getroot().iter("interface"):
            methods = {}
            for method in interface.findall("method"):
                arguments = {"in": "", "out": ""}
                for argument in method.findall("arg"):
                    arguments[argument.get("direction", "in")] += argument.get("type")
                methods[method.get("name")] = (arguments["in"], arguments["out"])
            properties = {entry.get("name"): entry.get("type") for entry in interface.findall("property")}
            interfaces[interface.get("name")] = (properties, methods)
    return interfaces


INTERFACES = introspection()


def add_interface(path, name, properties, code):
    """Declares an interface of an object: the properties that are given, and all its methods; those without code say that they are not there."""
    types, methods = INTERFACES[name]
    values = {key: typed(types[key], value) for key, value in properties.items()}
    if path not in objects:
        objects["/"].AddObject(path, name, values, [])
    else:
        objects[path].AddProperties(name, values)
    missing = "raise dbus.exceptions.DBusException('not here', name='org.freedesktop.ModemManager1.Error.Core.Unsupported')"
    assert set(code) <= set(methods), set(code) - set(methods)
    for method, (taken, given) in methods.items():
        objects[path].AddMethod(name, method, taken, given, code.get(method, missing))


def change(path, interface, **properties):
    types = INTERFACES[interface][0]
    change_raw(path, interface, {key: typed(types[key], value) for key, value in properties.items()})


def change_raw(path, interface, values):
    """Whatever the values are, right or wrong. (UpdateProperties of dbusmock cannot wrap dictionaries.)"""
    if path in objects:
        objects[path].props.setdefault(interface, {}).update(values)
    source = objects.get(path, objects["/"])
    source.EmitSignal(dbus.PROPERTIES_IFACE, "PropertiesChanged", "sa{sv}as", [interface, dbus.Dictionary(values, signature="sv"), []])


def fail(name, text):
    raise dbus.exceptions.DBusException(text, name="org.freedesktop.ModemManager1.Error." + name)


def announce(path):
    objects["/"].EmitSignal(OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [dbus.ObjectPath(path), objects[path].props])


class Modem:
    """A modem as ModemManager shows one: while its SIM is locked, with the interface Modem alone."""

    every = {}

    def __init__(self, number=0, net="wwan0", pin=None, tries=3, registration=1, state=3, apn="internet"):
        self.number, self.net, self.pin, self.tries, self.registration, self.apn = number, net, pin, tries, registration, apn
        self.path = f"{MAIN_OBJ}/Modem/{number}"
        self.sim = f"{MAIN_OBJ}/SIM/{number}"
        self.bearer = f"{MAIN_OBJ}/Bearer/{number}"
        self.calls = []
        # What its network gives its bearer.
        self.ip4 = {"address": "10.64.1.2", "prefix": 30, "gateway": "10.64.1.1", "dns1": "10.74.210.210", "mtu": 1430}
        # The error that Reset ends with.
        self.resets = None
        me = f"Modem.every[{number}]"
        Modem.every[number] = self
        scope = "from dbusmock.mockobject import objects; Modem = objects['/'].Modem; "
        self.code = lambda text: scope + text.replace("me.", me + ".")
        add_interface(self.path, MODEM, {
            "Sim": self.sim, "Bearers": [], "Manufacturer": "Quectel", "Model": "RM520N-GL", "Device": f"/sys/devices/usb{number}",
            "DeviceIdentifier": f"id{number}", "EquipmentIdentifier": f"86{number:013}", "Drivers": ["qmi_wwan"], "Plugin": "quectel",
            "PrimaryPort": f"cdc-wdm{number}", "Ports": [(f"cdc-wdm{number}", 6), (f"ttyUSB{number}", 3), (net, 2)],
            "UnlockRequired": 2 if pin else 1, "UnlockRetries": {2: tries, 4: 10}, "State": 2 if pin else state, "StateFailedReason": 0,
            "AccessTechnologies": 0, "SignalQuality": (0, False), "CurrentBands": [], "PowerState": 3,
        }, {
            "Reset": self.code("me.reset()"),
            "Enable": self.code("me.enable(bool(args[0]))"),
        })
        add_interface(self.sim, SIM, {"Active": True, "SimIdentifier": f"8949{number:015}", "Imsi": "262011234567890", "OperatorName": "Telekom"}, {
            "SendPin": self.code("me.send_pin(str(args[0]))"),
        })
        if not pin:
            self.open()
        announce(self.path)

    def open(self):
        """What a modem has once its SIM is unlocked."""
        add_interface(self.path, GPP, {
            "Imei": f"86{self.number:013}", "RegistrationState": 0, "OperatorCode": "", "OperatorName": "", "EnabledFacilityLocks": 0,
        }, {"Register": self.code("me.register(str(args[0]))")})
        add_interface(self.path, SIGNAL, {key: {} for key in ("Cdma", "Evdo", "Gsm", "Umts", "Lte", "Nr5g")} | {"Rate": 0}, {
            "Setup": self.code("me.set_rate(int(args[0]))"),
        })
        add_interface(self.path, LOCATION, {"Capabilities": 7, "Enabled": 1, "SignalsLocation": False, "Location": {}}, {
            "Setup": self.code("me.set_location(int(args[0]), bool(args[1]))"),
        })
        add_interface(self.path, SIMPLE, {}, {"Connect": self.code("ret = me.connect(args[0])"), "Disconnect": self.code("me.called('Disconnect')")})

    def called(self, what):
        self.calls.append(what)

    def change(self, interface, **properties):
        change(self.path, interface, **properties)

    def state(self, state, **more):
        self.change(MODEM, State=state, **more)

    def send_pin(self, pin):
        self.called(f"SendPin {pin}")
        if pin != self.pin:
            self.tries -= 1
            self.change(MODEM, UnlockRetries={2: self.tries, 4: 10}, UnlockRequired=2 if self.tries else 4)
            fail("MobileEquipment.IncorrectPassword", "Incorrect password")
        self.open()
        announce(self.path)
        self.state(3, UnlockRequired=1)

    def reset(self):
        self.called("Reset")
        if self.resets:
            fail(self.resets, "no answer from the firmware")

    def enable(self, on):
        self.called(f"Enable {on}")
        if not on:
            self.change(GPP, RegistrationState=0)
            return self.state(3)
        self.state(8 if self.registration in (1, 5) else 7)
        name = {1: "Telekom.de", 5: "Orange F"}.get(self.registration, "")
        self.change(GPP, RegistrationState=self.registration, OperatorName=name, OperatorCode="26201" if name else "")

    def register(self, operator):
        self.called(f"Register {operator}")
        if self.registration == 3:
            fail("MobileEquipment.NetworkNotAllowed", "Network not allowed")

    def set_rate(self, rate):
        self.called(f"Signal.Setup {rate}")
        self.change(SIGNAL, Rate=rate)

    def set_location(self, sources, signals):
        self.called(f"Location.Setup {sources} {signals}")
        self.change(LOCATION, Enabled=sources, SignalsLocation=signals)

    def connect(self, properties):
        self.called("Connect " + " ".join(f"{key}={properties[key]}" for key in sorted(properties)))
        if str(properties["apn"]) != self.apn:
            fail("MobileEquipment.GprsServiceOptionNotSubscribed", "Service option not subscribed")
        if self.bearer not in objects:
            add_interface(self.bearer, BEARER, {
                "Interface": self.net, "Connected": True, "Suspended": False, "Properties": {"apn": self.apn},
                "Ip4Config": {"method": dbus.UInt32(2)} | {
                    key: dbus.UInt32(value) if isinstance(value, int) else value for key, value in self.ip4.items()},
                "Ip6Config": {"method": dbus.UInt32(0)},
            }, {})
        self.state(11, Bearers=[self.bearer])
        return dbus.ObjectPath(self.bearer)

    def unplug(self):
        objects["/"].EmitSignal(OBJECTS, "InterfacesRemoved", "oas", [dbus.ObjectPath(self.path), list(objects[self.path].props)])
        for path in (self.path, self.sim, self.bearer):
            if path in objects:
                objects["/"].RemoveObject(path)
        del Modem.every[self.number]


def network_manager(managed):
    """NetworkManager's stand-in, with the device of modem 0."""
    manager, device = "/org/freedesktop/NetworkManager", "/org/freedesktop/NetworkManager/Devices/1"
    mock = objects["/"]
    mock.network_manager = dbus.service.BusName("org.freedesktop.NetworkManager", mock.bus_name.get_bus())
    mock.AddObject(manager, "org.freedesktop.NetworkManager", {}, [("GetDevices", "", "ao", f"ret = ['{device}']")])
    mock.AddObject(device, "org.freedesktop.NetworkManager.Device", {
        "Udi": "/org/freedesktop/ModemManager1/Modem/0", "Interface": "cdc-wdm0", "IpInterface": "wwan0", "Managed": dbus.Boolean(managed),
    }, [])


def link_servers(servers):
    """NetworkManager's word for the name servers of each link, by the link's name."""
    mock = objects["/"]
    mock.network_manager = dbus.service.BusName("org.freedesktop.NetworkManager", mock.bus_name.get_bus())
    entries = [
        dbus.Dictionary({"interface": link, "nameservers": dbus.Array(texts, signature="s"), "priority": dbus.Int32(100), "vpn": False}, signature="sv")
        for link, texts in servers.items()]
    mock.AddObject("/org/freedesktop/NetworkManager/DnsManager", "org.freedesktop.NetworkManager.DnsManager", {
        "Configuration": dbus.Array(entries, signature="a{sv}"),
    }, [])


def resolved_servers(servers):
    """systemd-resolved's, by the link's number: IPv4 addresses."""
    mock = objects["/"]
    mock.resolved = dbus.service.BusName("org.freedesktop.resolve1", mock.bus_name.get_bus())
    entries = [
        dbus.Struct((dbus.Int32(index), dbus.Int32(2), dbus.Array([dbus.Byte(int(part)) for part in text.split(".")], signature="y")), signature="iiay")
        for index, text in servers.items()]
    mock.AddObject("/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager", {"DNS": dbus.Array(entries, signature="(iiay)")}, [])


def load(mock, parameters):
    objects["/"] = mock
    mock.Modem = Modem
    # Like the real one it shows neither SIMs nor bearers here.
    mock.AddMethod(OBJECTS, "GetManagedObjects", "", "a{oa{sa{sv}}}", "ret = {k: v.props for k, v in objects.items() if '/Modem/' in k}")


@dbus.service.method(MOCK_IFACE, in_signature="s", out_signature="s")
def Run(self, code):
    scope = globals()
    scope["result"] = ""
    exec(code, scope)
    return str(scope["result"])
