; The installer for Windows: for this user alone, so that it asks for no administrator.
[Setup]
AppName=Sidetone
AppVersion={#Version}
AppId=sidetone-client
DefaultDirName={localappdata}\Programs\Sidetone
DefaultGroupName=Sidetone
PrivilegesRequired=lowest
OutputDir=..\..\dist
OutputBaseFilename=sidetone-client-{#Version}-windows-x86_64
Compression=lzma2
SolidCompression=yes
UninstallDisplayIcon={app}\sidetone-client.exe

[Files]
Source: "..\..\dist\sidetone-client\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\Sidetone"; Filename: "{app}\sidetone-client.exe"

[Registry]
Root: HKCU; Subkey: "Software\Classes\sidetone"; ValueType: string; ValueName: "URL Protocol"; ValueData: ""; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\sidetone\shell\open\command"; ValueType: string; ValueData: """{app}\sidetone-client.exe"" ""%1"""

[Run]
Filename: "{app}\sidetone-client.exe"; Description: "Open Sidetone"; Flags: nowait postinstall skipifsilent
