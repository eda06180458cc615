@echo off
rem Run one hook of export-dedup: run.cmd EVENT. The twin of run.sh for who has no sh. Finds a Python 3.9 or newer once,
rem remembers it, and never fails.
setlocal EnableExtensions DisableDelayedExpansion
set "event=%~1"
set "memory=%LOCALAPPDATA%\export-dedup"
if not defined LOCALAPPDATA set "memory=%USERPROFILE%\.cache\export-dedup"

set "python="
if exist "%memory%\python" set /p "python=" <"%memory%\python"
set "launcher="
if defined python if exist "%python%" goto start

rem Nothing is installed because somebody asked for a version.
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
rem A stub of the Windows Store, a version that is too old or a broken link prints nothing of this, and the next is tried.
set "ask=import sys; sys.version_info >= (3, 9) and sys.stdout.buffer.write(b'python=' + sys.executable.encode('oem', 'replace'))"
call :find py.exe -3
if defined python goto start
call :find python.exe
if defined python goto start
call :find python3.exe
if defined python goto start
call :find python.bat
if defined python goto start

"%SystemRoot%\System32\findstr.exe" "^" >nul 2>nul
rem Nobody is left to look how wide the screen is: lines that 40 columns hold.
if "%event%"=="SessionStart" echo {"systemMessage":"\nexport-dedup: no Python 3.9 or\nnewer was found, so nothing is\ncaptured. Install one, or put it\non the PATH."}
exit /b 0

:start
rem -S and -E: hooks need nothing but the standard library, and start faster. Compiled files go to the cache, because the
rem folder of a plugin is replaced with every update and may be read-only.
if defined launcher (
    call %launcher% -S -E -X pycache_prefix="%memory%\pycache" "%~dp0run.py" %event%
) else (
    "%python%" -S -E -X pycache_prefix="%memory%\pycache" "%~dp0run.py" %event%
)
exit /b 0

:find
set "python="
set "launcher="
rem On the PATH alone: what lies in the current folder is not run.
for %%c in (%1) do set "launcher=%%~$PATH:c"
if not defined launcher exit /b
set launcher="%launcher%" %2
for /f "tokens=1,* delims==" %%a in ('call %launcher% -S -E -c "%ask%" 2^>nul ^<nul') do if "%%a"=="python" set "python=%%b"
if not defined python exit /b
rem A path that the console's code page has not got cannot be remembered: the launcher is asked each time.
if not exist "%python%" exit /b
set "launcher="
if not exist "%memory%" mkdir "%memory%" >nul 2>nul
set "new=%memory%\python.%RANDOM%"
for /f "delims=" %%p in ("%python%") do echo %%p>"%new%"
move /y "%new%" "%memory%\python" >nul 2>nul
exit /b
